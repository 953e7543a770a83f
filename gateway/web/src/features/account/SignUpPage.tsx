import { Button, NativeSelect, PasswordInput, SegmentedControl, Stack, TextInput } from "@mantine/core";
import { getRouteApi, Link, useRouter } from "@tanstack/react-router";
import { type FormEvent, useState } from "react";
import { useTranslation } from "react-i18next";
import { Problem } from "@/http";
import { languageNow } from "@/i18n";
import { ProblemNotice } from "@/ui/ProblemNotice";
import { useCountries } from "./countries";
import { Doorway } from "./Doorway";
import { useSignUp } from "./queries";

const route = getRouteApi("/sign-up");
const MIN_PASSWORD = 10;

export function SignUpPage() {
  const { t } = useTranslation();
  const { invitation } = route.useSearch();
  const router = useRouter();
  const signUp = useSignUp();
  const countries = useCountries();
  const [kind, setKind] = useState<"factory" | "buyer">("factory");
  const [company, setCompany] = useState("");
  const [country, setCountry] = useState("");
  const [name, setName] = useState("");
  const [email, setEmail] = useState("");
  const [password, setPassword] = useState("");
  const problem = signUp.error instanceof Problem ? signUp.error : undefined;

  function submit(event: FormEvent) {
    event.preventDefault();
    const person = { email, password, display_name: name };
    const organisation = {
      name: company,
      kind,
      country: country || null,
      time_zone: Intl.DateTimeFormat().resolvedOptions().timeZone,
      language: languageNow(),
    };
    signUp.mutate(invitation ? { ...person, invitation } : { ...person, organisation }, {
      onSuccess: () => router.history.push("/"),
    });
  }

  return (
    <Doorway title={invitation ? t("signUp.invited") : t("signUp.title")}>
      <form onSubmit={submit}>
        <Stack>
          {!invitation && (
            <>
              <SegmentedControl
                fullWidth
                aria-label={t("signUp.kind")}
                value={kind}
                onChange={(value) => setKind(value === "buyer" ? "buyer" : "factory")}
                data={[
                  { value: "factory", label: t("signUp.factory") },
                  { value: "buyer", label: t("signUp.buyer") },
                ]}
              />
              <TextInput
                label={t("account.company")}
                autoComplete="organization"
                required
                withAsterisk={false}
                maxLength={100}
                value={company}
                error={problem?.at("/organisation/name")}
                onChange={(event) => setCompany(event.target.value)}
              />
              <NativeSelect
                label={t("account.country")}
                autoComplete="country"
                value={country}
                onChange={(event) => setCountry(event.target.value)}
                data={[{ value: "", label: t("account.noCountry") }, ...countries]}
              />
            </>
          )}
          <TextInput
            label={t("account.name")}
            autoComplete="name"
            required
            withAsterisk={false}
            maxLength={100}
            value={name}
            error={problem?.at("/display_name")}
            onChange={(event) => setName(event.target.value)}
          />
          <TextInput
            label={t("account.email")}
            type="email"
            autoComplete="username"
            required
            withAsterisk={false}
            value={email}
            error={problem?.at("/email")}
            onChange={(event) => setEmail(event.target.value)}
          />
          <PasswordInput
            label={t("account.password")}
            description={t("account.passwordHint", { count: MIN_PASSWORD })}
            autoComplete="new-password"
            required
            withAsterisk={false}
            minLength={MIN_PASSWORD}
            value={password}
            visibilityToggleButtonProps={{ "aria-label": t("account.showPassword") }}
            onChange={(event) => setPassword(event.target.value)}
          />
          <ProblemNotice error={signUp.error} text={invitation ? name : company} />
          <Button type="submit" size="md" loading={signUp.isPending}>
            {t("signUp.submit")}
          </Button>
        </Stack>
      </form>
      <p>
        {t("signUp.haveAccount")} <Link to="/sign-in">{t("signIn.submit")}</Link>
      </p>
    </Doorway>
  );
}
