import { useMantineColorScheme } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import {
  IconBuildingFactory2,
  IconChevronDown,
  IconHelp,
  IconLanguage,
  IconLogout,
  IconMoon,
  IconSettings,
  IconSun,
} from "@tabler/icons-react";
import { Link } from "@tanstack/react-router";
import { useId, useRef } from "react";
import { useTranslation } from "react-i18next";
import { useAccount, useSaveLanguage, useSignOut } from "@/features/account/queries";
import { choose } from "@/i18n";
import { OrganisationMark } from "@/ui/OrganisationMark";
import { useProblemText } from "@/ui/problem";
import classes from "./AccountMenu.module.css";

/** The platform's own popover: it closes by Escape and by a click beside it, and needs no script for its place. */
export function AccountMenu() {
  const { t } = useTranslation();
  const { user, organisation } = useAccount();
  const id = useId();
  const menu = useRef<HTMLDivElement>(null);
  const close = () => menu.current?.hidePopover();

  return (
    <>
      <button type="button" className={classes.account} popoverTarget={id}>
        <OrganisationMark organisation={organisation} />
        <span className={classes.who}>
          <span className={classes.organisation}>{organisation.name}</span>
          <span className={classes.user}>{user.display_name}</span>
        </span>
        <span className="sr-only">{t("nav.account")}</span>
        <IconChevronDown size={14} className={classes.chevron} />
      </button>
      <div id={id} ref={menu} popover="auto" className={classes.menu}>
        <p className={classes.label}>
          {user.display_name} · {t(`roles.${user.role}`)}
        </p>
        <Link
          to="/organisations/$organisationId"
          params={{ organisationId: organisation.id }}
          className={classes.item}
          onClick={close}
        >
          <IconBuildingFactory2 size={16} /> {t("nav.profile")}
        </Link>
        <Link to="/settings" className={classes.item} onClick={close}>
          <IconSettings size={16} /> {t("nav.settings")}
        </Link>
        <Link to="/help" className={classes.item} onClick={close}>
          <IconHelp size={16} /> {t("nav.help")}
        </Link>
        <hr className={classes.divider} />
        <SchemeItem />
        <LanguageItem onChosen={close} />
        <hr className={classes.divider} />
        <SignOutItem />
      </div>
    </>
  );
}

function SchemeItem() {
  const { t } = useTranslation();
  const { setColorScheme } = useMantineColorScheme();
  const dark = document.documentElement.dataset.mantineColorScheme === "dark";
  return (
    <button type="button" className={classes.item} onClick={() => setColorScheme(dark ? "light" : "dark")}>
      {dark ? <IconSun size={16} /> : <IconMoon size={16} />} {dark ? t("nav.light") : t("nav.dark")}
    </button>
  );
}

function LanguageItem({ onChosen }: { onChosen: () => void }) {
  const { i18n } = useTranslation();
  const saveLanguage = useSaveLanguage();
  const other = i18n.language === "zh" ? "en" : "zh";

  function choosing() {
    void choose(other);
    saveLanguage.mutate(other);
    onChosen();
  }

  return (
    <button type="button" className={classes.item} lang={other === "zh" ? "zh-CN" : "en"} onClick={choosing}>
      <IconLanguage size={16} /> {other === "zh" ? "中文" : "English"}
    </button>
  );
}

function SignOutItem() {
  const { t } = useTranslation();
  const signOut = useSignOut();
  const problem = useProblemText();
  // Whoever is not out must not believe that they are.
  const onError = (error: unknown) => notifications.show({ message: problem(error), color: "signal" });
  return (
    <button type="button" className={classes.item} onClick={() => signOut.mutate(undefined, { onError })}>
      <IconLogout size={16} /> {t("nav.signOut")}
    </button>
  );
}
