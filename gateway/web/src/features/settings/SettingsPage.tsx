import { Link, Outlet } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import { useAccount } from "@/features/account/queries";
import { Page } from "@/ui/Page";
import classes from "./SettingsPage.module.css";

export function SettingsPage() {
  const { t } = useTranslation();
  const { user } = useAccount();
  return (
    <Page title={t("settings.title")}>
      <nav className={classes.tabs} aria-label={t("settings.title")}>
        <Link to="/settings" activeOptions={{ exact: true, includeSearch: false }}>
          {t("settings.account")}
        </Link>
        <Link to="/settings/notifications">{t("settings.notifications")}</Link>
        <Link to="/settings/team">{t("settings.team")}</Link>
        {user.role === "owner" && <Link to="/settings/webhooks">{t("settings.webhooks")}</Link>}
      </nav>
      <Outlet />
    </Page>
  );
}
