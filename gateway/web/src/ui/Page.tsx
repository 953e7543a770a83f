import type { ReactNode } from "react";
import classes from "./Page.module.css";
import { useTabTitle } from "./tabTitle";

interface PageProps {
  title: string;
  eyebrow?: ReactNode;
  /** What stands before the title, such as a logo. */
  mark?: ReactNode;
  actions?: ReactNode;
  /** `narrow` for forms and texts, `wide` for lists of cards. */
  width?: "narrow" | "wide";
  children: ReactNode;
}

/** The frame of every page: its heading, which is also the tab's title, and what can be done on it. */
export function Page({ title, eyebrow, mark, actions, width = "narrow", children }: PageProps) {
  useTabTitle(title);
  return (
    <div className={classes.page} data-width={width}>
      <header className={classes.header}>
        <div className={classes.heading}>
          {mark}
          <div>
            {eyebrow && <div className={classes.eyebrow}>{eyebrow}</div>}
            <h1 className={classes.title}>{title}</h1>
          </div>
        </div>
        {actions && <div className={classes.actions}>{actions}</div>}
      </header>
      {children}
    </div>
  );
}

export function Panel({
  title,
  aside,
  children,
}: {
  title?: string;
  aside?: ReactNode;
  children: ReactNode;
}) {
  return (
    <section className={classes.panel}>
      {title && (
        <div className={classes.panelHeader}>
          <h2 className={classes.panelTitle}>{title}</h2>
          {aside}
        </div>
      )}
      {children}
    </section>
  );
}
