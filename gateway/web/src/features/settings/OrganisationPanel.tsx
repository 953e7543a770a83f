import { Button, FileButton, Group, NativeSelect, Stack, Textarea, TextInput } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import type { FormEvent } from "react";
import { useTranslation } from "react-i18next";
import { useCountries } from "@/features/account/countries";
import { useAccount } from "@/features/account/queries";
import { LANGUAGES } from "@/i18n";
import { OrganisationMark } from "@/ui/OrganisationMark";
import { Panel } from "@/ui/Page";
import { ProblemNotice } from "@/ui/ProblemNotice";
import { useChangeOrganisation, useRemoveLogo, useSetLogo } from "./queries";
import classes from "./SettingsPage.module.css";
import { timeZones } from "./timeZones";

export function OrganisationPanel() {
  const { t } = useTranslation();
  return (
    <Panel title={t("settings.organisation")}>
      <Stack>
        <LogoField />
        <OrganisationForm />
      </Stack>
    </Panel>
  );
}

function LogoField() {
  const { t } = useTranslation();
  const { organisation, user } = useAccount();
  const set = useSetLogo();
  const remove = useRemoveLogo();

  function choose(file: File | null) {
    if (!file) return;
    remove.reset();
    set.mutate(file);
  }

  return (
    <Stack gap="xs">
      <div className={classes.logo}>
        <OrganisationMark organisation={organisation} size="large" />
        {user.role === "owner" && (
          <div>
            <Group gap="xs">
              <FileButton accept="image/png,image/jpeg,image/webp,image/gif" onChange={choose}>
                {(props) => (
                  <Button variant="default" loading={set.isPending} {...props}>
                    {organisation.logo_url ? t("settings.changeLogo") : t("settings.addLogo")}
                  </Button>
                )}
              </FileButton>
              {organisation.logo_url && (
                <Button
                  variant="subtle"
                  color="signal"
                  loading={remove.isPending}
                  onClick={() => {
                    set.reset();
                    remove.mutate();
                  }}
                >
                  {t("settings.removeLogo")}
                </Button>
              )}
            </Group>
            <p className={classes.small}>{t("settings.logoHint")}</p>
          </div>
        )}
      </div>
      <ProblemNotice error={set.error ?? remove.error} />
    </Stack>
  );
}

function OrganisationForm() {
  const { t } = useTranslation();
  const { organisation, user } = useAccount();
  const countries = useCountries();
  const change = useChangeOrganisation();
  const readOnly = user.role !== "owner";

  function submit(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    const data = new FormData(event.currentTarget);
    change.mutate(
      {
        name: String(data.get("name")),
        country: String(data.get("country")) || null,
        time_zone: String(data.get("time_zone")),
        language: data.get("language") === "zh" ? "zh" : "en",
        address: String(data.get("address")) || null,
      },
      { onSuccess: () => notifications.show({ message: t("settings.saved") }) },
    );
  }

  return (
    <form onSubmit={submit}>
      <Stack>
        <div className={classes.grid}>
          <TextInput
            name="name"
            label={t("account.company")}
            defaultValue={organisation.name}
            required
            withAsterisk={false}
            maxLength={100}
            readOnly={readOnly}
          />
          <NativeSelect
            name="country"
            label={t("account.country")}
            defaultValue={organisation.country ?? ""}
            disabled={readOnly}
            data={[{ value: "", label: t("account.noCountry") }, ...countries]}
          />
          <NativeSelect
            name="time_zone"
            label={t("settings.timeZone")}
            description={organisation.kind === "factory" ? t("settings.timeZoneHint") : undefined}
            inputWrapperOrder={["label", "input", "description", "error"]}
            defaultValue={organisation.time_zone}
            disabled={readOnly}
            data={timeZones(organisation.time_zone)}
          />
          <NativeSelect
            name="language"
            label={t("settings.language")}
            description={t("settings.languageHint")}
            inputWrapperOrder={["label", "input", "description", "error"]}
            defaultValue={organisation.language}
            disabled={readOnly}
            data={LANGUAGES}
          />
        </div>
        <Textarea
          name="address"
          label={t("settings.address")}
          defaultValue={organisation.address ?? ""}
          maxLength={500}
          autosize
          minRows={2}
          readOnly={readOnly}
        />
        <ProblemNotice error={change.error} />
        {!readOnly && (
          <Group>
            <Button type="submit" loading={change.isPending}>
              {t("actions.save")}
            </Button>
          </Group>
        )}
      </Stack>
    </form>
  );
}
