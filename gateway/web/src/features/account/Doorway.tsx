import { UnstyledButton } from "@mantine/core";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { Logo } from "@/app/Logo";
import { PIPELINE } from "@/features/orders/pipeline";
import { choose } from "@/i18n";
import { useTabTitle } from "@/ui/tabTitle";
import classes from "./Doorway.module.css";

/** The frame of the pages before one is signed in: a form, and beside it what it leads to. */
export function Doorway({ title, children }: { title: string; children: ReactNode }) {
  const { t, i18n } = useTranslation();
  useTabTitle(title);

  return (
    <div className={classes.page}>
      <main className={classes.form}>
        <div className={classes.top}>
          <span className={classes.brand}>
            <Logo /> Millrace
          </span>
          <UnstyledButton
            className={classes.language}
            lang={i18n.language === "zh" ? "en" : "zh-CN"}
            onClick={() => void choose(i18n.language === "zh" ? "en" : "zh")}
          >
            {i18n.language === "zh" ? "English" : "中文"}
          </UnstyledButton>
        </div>
        <div className={classes.body}>
          <h1 className={classes.title}>{title}</h1>
          {children}
        </div>
      </main>
      <aside className={classes.story}>
        <p className={classes.claim}>{t("doorway.claim")}</p>
        <ol className={classes.course}>
          {PIPELINE.map((status) => (
            <li key={status}>
              <span className={classes.stage}>{t(`status.${status}`)}</span>
              <span className={classes.meaning}>{t(`doorway.${status}`)}</span>
            </li>
          ))}
        </ol>
      </aside>
    </div>
  );
}
