import { Button } from "@mantine/core";
import { IconArrowLeft, IconCloudOff, IconMapQuestion, IconRefresh } from "@tabler/icons-react";
import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { useProblemText } from "./problem";
import classes from "./states.module.css";
import { useTabTitle } from "./tabTitle";

/** An empty list, told kindly: what would stand here, and what to do next. */
export function EmptyState({
  icon,
  title,
  children,
}: {
  icon: ReactNode;
  title: string;
  children?: ReactNode;
}) {
  return (
    <div className={classes.state}>
      <div className={classes.icon}>{icon}</div>
      <p className={classes.title}>{title}</p>
      {children && <div className={classes.text}>{children}</div>}
    </div>
  );
}

export function ErrorState({ error, retry }: { error: unknown; retry?: () => void }) {
  const { t } = useTranslation();
  const text = useProblemText();
  return (
    <div className={classes.state} role="alert">
      <div className={classes.icon}>
        <IconCloudOff />
      </div>
      <p className={classes.title}>{t("states.failed")}</p>
      <p className={classes.text}>{text(error)}</p>
      {retry && (
        <Button variant="default" leftSection={<IconRefresh size={16} />} onClick={retry}>
          {t("states.retry")}
        </Button>
      )}
    </div>
  );
}

export function FailedPage({ error }: { error: unknown }) {
  // A part that failed to load is remembered as failed until the page is loaded anew.
  return <ErrorState error={error} retry={() => location.reload()} />;
}

export function MissingPage() {
  const { t } = useTranslation();
  useTabTitle(t("states.missing"));
  return (
    <div className={classes.state}>
      <div className={classes.icon}>
        <IconMapQuestion />
      </div>
      <h1 className={classes.title}>{t("states.missing")}</h1>
      <p className={classes.text}>{t("states.missingText")}</p>
      <Link to="/" className={classes.back}>
        <IconArrowLeft size={16} /> {t("nav.dashboard")}
      </Link>
    </div>
  );
}
