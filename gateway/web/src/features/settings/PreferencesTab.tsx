import { Checkbox, NativeSelect, Skeleton } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { useTranslation } from "react-i18next";
import type { Notification, Preferences } from "@/api/schema";
import { choose, LANGUAGES } from "@/i18n";
import { Panel } from "@/ui/Page";
import { ProblemNotice } from "@/ui/ProblemNotice";
import { ErrorState } from "@/ui/states";
import { usePreferences, useSavePreferences } from "./queries";
import classes from "./SettingsPage.module.css";
import { timeZones } from "./timeZones";

const EMAIL = ["immediate", "daily", "off"] as const;

export function PreferencesTab() {
  const { data, error, refetch } = usePreferences();
  if (error) return <ErrorState error={error} retry={refetch} />;
  if (!data) return <Skeleton height="24rem" />;
  return <PreferencesForm preferences={data} />;
}

/** Each choice is saved as it is made. */
function PreferencesForm({ preferences }: { preferences: Preferences }) {
  const { t } = useTranslation();
  const save = useSavePreferences();
  // What was just chosen stands at once; the answer confirms it.
  const shown = save.isPending ? save.variables : preferences;
  const kinds = (shown.kinds ?? {}) as Record<
    Notification["kind"],
    { in_app: boolean; email: (typeof EMAIL)[number] }
  >;

  const change = (changes: Partial<Preferences>) =>
    save.mutate(
      { ...shown, ...changes },
      { onSuccess: () => notifications.show({ id: "preferences", message: t("settings.saved") }) },
    );
  const changeKind = (kind: string, changes: object) => {
    const old = kinds[kind as Notification["kind"]];
    change({ kinds: { ...shown.kinds, [kind]: { ...old, ...changes } } });
  };

  return (
    <>
      <Panel title={t("preferences.language")}>
        <div className={classes.grid}>
          <NativeSelect
            label={t("preferences.languageLabel")}
            description={t("preferences.languageHint")}
            inputWrapperOrder={["label", "input", "description", "error"]}
            value={shown.language}
            onChange={(event) => {
              const language = event.target.value === "zh" ? "zh" : "en";
              change({ language });
              void choose(language);
            }}
            data={LANGUAGES}
          />
          <NativeSelect
            label={t("settings.timeZone")}
            description={t("preferences.timeZoneHint")}
            inputWrapperOrder={["label", "input", "description", "error"]}
            value={shown.time_zone}
            onChange={(event) => change({ time_zone: event.target.value })}
            data={timeZones(shown.time_zone ?? "UTC")}
          />
        </div>
      </Panel>
      <Panel title={t("preferences.kinds")}>
        <div className={classes.scroll}>
          <table className={classes.table}>
            <thead>
              <tr>
                <th scope="col">{t("preferences.kind")}</th>
                <th scope="col">{t("preferences.inApp")}</th>
                <th scope="col">{t("preferences.email")}</th>
              </tr>
            </thead>
            <tbody>
              {Object.entries(kinds).map(([kind, channels]) => {
                const name = t(`kinds.${kind as Notification["kind"]}`);
                return (
                  <tr key={kind}>
                    <td>{name}</td>
                    <td>
                      <Checkbox
                        aria-label={t("preferences.inAppFor", { kind: name })}
                        checked={channels.in_app}
                        onChange={(event) => changeKind(kind, { in_app: event.target.checked })}
                      />
                    </td>
                    <td>
                      <NativeSelect
                        size="xs"
                        aria-label={t("preferences.emailFor", { kind: name })}
                        value={channels.email}
                        onChange={(event) => changeKind(kind, { email: event.target.value })}
                        data={EMAIL.map((value) => ({ value, label: t(`preferences.${value}`) }))}
                      />
                    </td>
                  </tr>
                );
              })}
            </tbody>
          </table>
        </div>
        <ProblemNotice error={save.error} />
      </Panel>
    </>
  );
}
