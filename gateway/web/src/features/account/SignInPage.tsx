import { Button, PasswordInput, Stack, TextInput } from "@mantine/core";
import { getRouteApi, Link, useRouter } from "@tanstack/react-router";
import { type FormEvent, useState } from "react";
import { useTranslation } from "react-i18next";
import { ProblemNotice } from "@/ui/ProblemNotice";
import { Doorway } from "./Doorway";
import { useSignIn } from "./queries";

const route = getRouteApi("/sign-in");

export function SignInPage() {
  const { t } = useTranslation();
  const { next } = route.useSearch();
  const router = useRouter();
  const signIn = useSignIn();
  const [email, setEmail] = useState("");
  const [password, setPassword] = useState("");

  function submit(event: FormEvent) {
    event.preventDefault();
    // Only a path of our own: an address from outside must not lead elsewhere after signing in.
    const href = next && /^\/(?![/\\])/.test(next) ? next : "/";
    signIn.mutate({ email, password }, { onSuccess: () => router.history.push(href) });
  }

  return (
    <Doorway title={t("signIn.title")}>
      <form onSubmit={submit}>
        <Stack>
          <TextInput
            label={t("account.email")}
            type="email"
            autoComplete="username"
            required
            withAsterisk={false}
            value={email}
            onChange={(event) => setEmail(event.target.value)}
          />
          <PasswordInput
            label={t("account.password")}
            autoComplete="current-password"
            required
            withAsterisk={false}
            value={password}
            visibilityToggleButtonProps={{ "aria-label": t("account.showPassword") }}
            onChange={(event) => setPassword(event.target.value)}
          />
          <ProblemNotice error={signIn.error} />
          <Button type="submit" size="md" loading={signIn.isPending}>
            {t("signIn.submit")}
          </Button>
        </Stack>
      </form>
      <p>
        {t("signIn.noAccount")} <Link to="/sign-up">{t("signIn.signUp")}</Link>
      </p>
    </Doorway>
  );
}
