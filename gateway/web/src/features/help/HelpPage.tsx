import { Skeleton } from "@mantine/core";
import { IconArrowLeft, IconArrowRight, IconLifebuoy } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { Link, useParams } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import { languageNow } from "@/i18n";
import { Page, Panel } from "@/ui/Page";
import { ErrorState, MissingPage } from "@/ui/states";
import { Feedback } from "./Feedback";
import { type Guide, type Guides, guidesIn, type Section, TOPICS, type Topic } from "./guides/guide";
import classes from "./HelpPage.module.css";
import { pictureOf } from "./pictures";

export function HelpPage() {
  const { t, i18n } = useTranslation();
  const { topic = "managing-active-orders" } = useParams({ strict: false });
  const {
    data: guides,
    error,
    refetch,
  } = useQuery({
    queryKey: ["guides", i18n.language],
    queryFn: () => guidesIn(i18n.language),
    staleTime: Number.POSITIVE_INFINITY,
  });
  const known = TOPICS.find((one) => one === topic);

  if (!known) return <MissingPage />;
  if (error) return <ErrorState error={error} retry={refetch} />;
  if (!guides) {
    return (
      <Page title={t("help.eyebrow")}>
        <Skeleton height="30rem" />
      </Page>
    );
  }
  return (
    <Page title={guides[known].title} eyebrow={t("help.eyebrow")}>
      <p className={classes.summary}>{guides[known].summary}</p>
      <Sections guide={guides[known]} />
      <Feedback key={known} page={known} />
      <Neighbours guides={guides} topic={known} />
      <p className={classes.support}>
        <IconLifebuoy size={18} /> {t("help.stuck")} <Link to="/support">{t("help.contact")}</Link>
      </p>
    </Page>
  );
}

function Sections({ guide }: { guide: Guide }) {
  return (
    <Panel>
      <ol className={classes.sections}>
        {guide.sections.map((section) => (
          <li key={section.title} className={classes.section}>
            <h2 className={classes.title}>{section.title}</h2>
            {section.text.map((paragraph) => (
              <p key={paragraph}>{paragraph}</p>
            ))}
            {section.list && (
              <dl className={classes.list}>
                {section.list.map(({ term, text }) => (
                  <div key={text}>
                    <dt>{term}</dt>
                    <dd>{text}</dd>
                  </div>
                ))}
              </dl>
            )}
            {section.picture && <Picture name={section.picture} title={section.title} />}
          </li>
        ))}
      </ol>
    </Panel>
  );
}

function Picture({ name, title }: { name: NonNullable<Section["picture"]>; title: string }) {
  const { t } = useTranslation();
  const picture = pictureOf(name, languageNow());
  if (!picture) return null;
  return <img className={classes.picture} {...picture} alt={t("help.pictureOf", { title })} loading="lazy" />;
}

function Neighbours({ guides, topic }: { guides: Guides; topic: Topic }) {
  const { t } = useTranslation();
  const at = TOPICS.indexOf(topic);
  const [before, after] = [TOPICS[at - 1], TOPICS[at + 1]];
  return (
    <nav className={classes.neighbours} aria-label={t("help.neighbours")}>
      {before && (
        <Link to="/help/$topic" params={{ topic: before }}>
          <IconArrowLeft size={16} /> {guides[before].title}
        </Link>
      )}
      {after && (
        <Link to="/help/$topic" params={{ topic: after }} className={classes.after}>
          {guides[after].title} <IconArrowRight size={16} />
        </Link>
      )}
    </nav>
  );
}
