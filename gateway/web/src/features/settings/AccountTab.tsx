import { Button, Group, NativeSelect, PasswordInput, Stack, Textarea, TextInput } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import type { FormEvent } from "react";
import { useTranslation } from "react-i18next";
import { useCountries } from "@/features/account/countries";
import { useAccount } from "@/features/account/queries";
import { Panel } from "@/ui/Page";
import { ProblemNotice } from "@/ui/ProblemNotice";
import { useChangeOrganisation, useChangeProfile } from "./queries";
import classes from "./SettingsPage.module.css";
import { timeZones } from "./timeZones";

export function AccountTab() {
  return (
    <>
      <NameForm />
      <PasswordForm />
      <OrganisationForm />
    </>
  );
}

function NameForm() {
  const { t } = useTranslation();
  const { user } = useAccount();
  const change = useChangeProfile();

  function submit(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    const name = String(new FormData(event.currentTarget).get("name"));
    change.mutate(
      { display_name: name },
      { onSuccess: () => notifications.show({ message: t("settings.saved") }) },
    );
  }

  return (
    <Panel title={t("settings.you")}>
      <form onSubmit={submit}>
        <Stack>
          <div className={classes.grid}>
            <TextInput
              name="name"
              label={t("account.name")}
              defaultValue={user.display_name}
              required
              withAsterisk={false}
              maxLength={100}
              autoComplete="name"
            />
            <TextInput label={t("account.email")} value={user.email} readOnly />
          </div>
          <ProblemNotice error={change.error} />
          <Group>
            <Button type="submit" loading={change.isPending}>
              {t("actions.save")}
            </Button>
          </Group>
        </Stack>
      </form>
    </Panel>
  );
}

function PasswordForm() {
  const { t } = useTranslation();
  const change = useChangeProfile();

  function submit(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    const form = event.currentTarget;
    const data = new FormData(form);
    change.mutate(
      { current_password: String(data.get("current")), password: String(data.get("new")) },
      {
        onSuccess: () => {
          form.reset();
          notifications.show({ message: t("settings.passwordChanged") });
        },
      },
    );
  }

  const toggle = { visibilityToggleButtonProps: { "aria-label": t("account.showPassword") } };
  return (
    <Panel title={t("settings.password")}>
      <form onSubmit={submit}>
        <Stack>
          <div className={classes.grid}>
            <PasswordInput
              name="current"
              label={t("settings.currentPassword")}
              autoComplete="current-password"
              required
              withAsterisk={false}
              {...toggle}
            />
            <PasswordInput
              name="new"
              label={t("settings.newPassword")}
              description={t("account.passwordHint", { count: 10 })}
              inputWrapperOrder={["label", "input", "description", "error"]}
              autoComplete="new-password"
              minLength={10}
              required
              withAsterisk={false}
              {...toggle}
            />
          </div>
          <ProblemNotice error={change.error} />
          <Group>
            <Button type="submit" variant="default" loading={change.isPending}>
              {t("settings.changePassword")}
            </Button>
          </Group>
        </Stack>
      </form>
    </Panel>
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
        address: String(data.get("address")) || null,
      },
      { onSuccess: () => notifications.show({ message: t("settings.saved") }) },
    );
  }

  return (
    <Panel title={t("settings.organisation")}>
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
    </Panel>
  );
}
