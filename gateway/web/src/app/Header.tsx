import { IconBell } from "@tabler/icons-react";
import { Link } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import { useAccount } from "@/features/account/queries";
import { useDashboard } from "@/features/dashboard/queries";
import { CountBadge } from "@/ui/CountBadge";
import { useTabCount } from "@/ui/tabTitle";
import { AccountMenu } from "./AccountMenu";
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
    <span className={classes.live} data-state={state} title={t(`live.${state}Hint`)}>
      <span className={classes.dot} aria-hidden="true" />
      <span className={classes.liveText}>{t(`live.${state}Short`)}</span>
    </span>
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
