import { Menu, Tooltip, UnstyledButton, useMantineColorScheme } from "@mantine/core";
import {
  IconBell,
  IconBuildingFactory2,
  IconChevronDown,
  IconHelp,
  IconLanguage,
  IconLogout,
  IconMoon,
  IconSettings,
  IconSun,
} from "@tabler/icons-react";
import { Link, useNavigate } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import { useAccount, useSaveLanguage, useSignOut } from "@/features/account/queries";
import { useDashboard } from "@/features/dashboard/queries";
import { choose } from "@/i18n";
import { CountBadge } from "@/ui/CountBadge";
import { useTabCount } from "@/ui/tabTitle";
import classes from "./Header.module.css";
import { useLive } from "./LiveUpdates";
import { Logo } from "./Logo";

export function Header() {
  const { t } = useTranslation();
  const { organisation } = useAccount();
  return (
    <header className={classes.header}>
      <Link to="/" className={classes.brand} aria-label={t("nav.home")}>
        <Logo />
        <span className={classes.name}>Millrace</span>
      </Link>
      <nav className={classes.nav} aria-label={t("nav.main")}>
        <Link to="/" activeOptions={{ exact: true, includeSearch: false }}>
          {t("nav.dashboard")}
        </Link>
        <Link to="/organisations/$organisationId" params={{ organisationId: organisation.id }}>
          {t("nav.profile")}
        </Link>
        <Link to="/help">{t("nav.help")}</Link>
      </nav>
      <div className={classes.tools}>
        <LiveDot />
        <Bell />
        <AccountMenu />
      </div>
    </header>
  );
}

function LiveDot() {
  const { t } = useTranslation();
  const state = useLive();
  return (
    <Tooltip label={t(`live.${state}Hint`)}>
      <span className={classes.live} data-state={state}>
        <span className={classes.dot} aria-hidden="true" />
        <span className={classes.liveText}>{t(`live.${state}Short`)}</span>
      </span>
    </Tooltip>
  );
}

function Bell() {
  const { t } = useTranslation();
  const dashboard = useDashboard().data?.pages[0];
  const unread = dashboard?.notifications?.unread ?? 0;
  useTabCount(dashboard?.stats.unread_messages ?? 0);
  return (
    <Link to="/notifications" className={classes.bell} aria-label={t("nav.notifications", { count: unread })}>
      <IconBell size={20} stroke={1.75} />
      <CountBadge count={unread} className={classes.bellCount} />
    </Link>
  );
}

function AccountMenu() {
  const { t, i18n } = useTranslation();
  const { user, organisation } = useAccount();
  const signOut = useSignOut();
  const saveLanguage = useSaveLanguage();
  const navigate = useNavigate();
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  const otherLanguage = i18n.language === "zh" ? "en" : "zh";
  const dark = document.documentElement.dataset.mantineColorScheme === "dark";

  return (
    <Menu position="bottom-end" width={240}>
      <Menu.Target>
        <UnstyledButton className={classes.account} aria-label={t("nav.account")}>
          <span className={classes.avatar} aria-hidden="true">
            {organisation.name.slice(0, 1).toUpperCase()}
          </span>
          <span className={classes.who}>
            <span className={classes.organisation}>{organisation.name}</span>
            <span className={classes.user}>{user.display_name}</span>
          </span>
          <IconChevronDown size={14} className={classes.chevron} />
        </UnstyledButton>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>
          {user.display_name} · {t(`roles.${user.role}`)}
        </Menu.Label>
        <Menu.Item
          leftSection={<IconBuildingFactory2 size={16} />}
          onClick={() =>
            navigate({ to: "/organisations/$organisationId", params: { organisationId: organisation.id } })
          }
        >
          {t("nav.profile")}
        </Menu.Item>
        <Menu.Item leftSection={<IconSettings size={16} />} onClick={() => navigate({ to: "/settings" })}>
          {t("nav.settings")}
        </Menu.Item>
        <Menu.Item leftSection={<IconHelp size={16} />} onClick={() => navigate({ to: "/help" })}>
          {t("nav.help")}
        </Menu.Item>
        <Menu.Divider />
        <Menu.Item
          leftSection={dark ? <IconSun size={16} /> : <IconMoon size={16} />}
          closeMenuOnClick={false}
          onClick={() => setColorScheme(dark ? "light" : "dark")}
          data-scheme={colorScheme}
        >
          {dark ? t("nav.light") : t("nav.dark")}
        </Menu.Item>
        <Menu.Item
          leftSection={<IconLanguage size={16} />}
          lang={otherLanguage === "zh" ? "zh-CN" : "en"}
          onClick={() => {
            void choose(otherLanguage);
            saveLanguage.mutate(otherLanguage);
          }}
        >
          {otherLanguage === "zh" ? "中文" : "English"}
        </Menu.Item>
        <Menu.Divider />
        <Menu.Item leftSection={<IconLogout size={16} />} onClick={() => signOut.mutate()}>
          {t("nav.signOut")}
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}
