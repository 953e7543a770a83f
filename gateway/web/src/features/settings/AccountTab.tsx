import { Button, Group, PasswordInput, Stack, TextInput } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import type { FormEvent } from "react";
import { useTranslation } from "react-i18next";
import { useAccount } from "@/features/account/queries";
import { Panel } from "@/ui/Page";
import { ProblemNotice } from "@/ui/ProblemNotice";
import { OrganisationPanel } from "./OrganisationPanel";
import { useChangeProfile } from "./queries";
import classes from "./SettingsPage.module.css";

export function AccountTab() {
  return (
    <>
      <NameForm />
      <PasswordForm />
      <OrganisationPanel />
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
  const { user } = useAccount();
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
        {/* For password managers: whose password it is. */}
        <input hidden readOnly autoComplete="username" value={user.email} />
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
