import { Button, Skeleton } from "@mantine/core";
import {
  IconAlarm,
  IconBellOff,
  IconChecks,
  IconMessageCircle,
  IconPackage,
  IconPackageImport,
  IconProgress,
  IconStar,
  IconWebhook,
} from "@tabler/icons-react";
import { Link } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import type { Notification } from "@/api/schema";
import { useFormat } from "@/i18n/format";
import { MoreOnScroll } from "@/ui/MoreOnScroll";
import { Page, Panel } from "@/ui/Page";
import { EmptyState, ErrorState } from "@/ui/states";
import { type Group, groupsOf } from "./groups";
import classes from "./NotificationsPage.module.css";
import { useMarkNotifications, useNotifications } from "./queries";

const ICONS: Record<Notification["kind"], typeof IconAlarm> = {
  order_created: IconPackage,
  order_status_changed: IconProgress,
  receipt_requested: IconPackageImport,
  receipt_reminder: IconPackageImport,
  deadline_near: IconAlarm,
  order_overdue: IconAlarm,
  message_received: IconMessageCircle,
  review_opened: IconStar,
  review_received: IconStar,
  webhook_disabled: IconWebhook,
};

export function NotificationsPage() {
  const { t } = useTranslation();
  const list = useNotifications();
  const mark = useMarkNotifications();
  const items = list.data?.pages.flatMap((page) => page.items);
  const read = (opened: Notification[]) => {
    const ids = opened.filter((item) => !item.read_at).map((item) => item.id);
    if (ids.length) mark.mutate({ ids, all: false });
  };

  return (
    <Page
      title={t("notifications.title")}
      actions={
        <Button
          variant="default"
          leftSection={<IconChecks size={17} />}
          disabled={!items?.some((item) => !item.read_at)}
          loading={mark.isPending}
          onClick={() => mark.mutate({ all: true })}
        >
          {t("notifications.readAll")}
        </Button>
      }
    >
      <Panel>
        {list.error && !items && <ErrorState error={list.error} retry={list.refetch} />}
        {!items && !list.error && <Skeleton height="16rem" />}
        {items?.length === 0 && (
          <EmptyState icon={<IconBellOff />} title={t("notifications.empty")}>
            {t("notifications.emptyText")}
          </EmptyState>
        )}
        <ul className={classes.list}>
          {groupsOf(items ?? []).map((group) => (
            <li key={group[0].id}>
              <Entries group={group} onOpen={read} />
            </li>
          ))}
        </ul>
        <MoreOnScroll list={list} />
      </Panel>
    </Page>
  );
}

/** The newest, with the others that its order caused in a row folded below; opening it reads them all. */
function Entries({ group, onOpen }: { group: Group; onOpen: (opened: Notification[]) => void }) {
  const { t } = useTranslation();
  const [newest, ...earlier] = group;
  return (
    <>
      <Entry item={newest} onOpen={() => onOpen(group)} />
      {earlier.length > 0 && (
        <details className={classes.earlier}>
          <summary>{t("notifications.earlier", { count: earlier.length })}</summary>
          {earlier.map((item) => (
            <Entry key={item.id} item={item} onOpen={() => onOpen([item])} />
          ))}
        </details>
      )}
    </>
  );
}

function Entry({ item, onOpen }: { item: Notification; onOpen: () => void }) {
  const { t } = useTranslation();
  const format = useFormat();
  const Icon = ICONS[item.kind] ?? IconPackage;
  const content = (
    <>
      <Icon size={20} stroke={1.6} className={classes.icon} />
      <span className={classes.text}>
        <span className={classes.title}>{item.title}</span>
        {item.body && <span className={classes.body}>{item.body}</span>}
      </span>
      <time className={classes.time} dateTime={item.created_at} title={format.dateTime(item.created_at)}>
        {format.ago(item.created_at)}
      </time>
      {!item.read_at && <span className="sr-only">{t("notifications.unread")}</span>}
    </>
  );
  const shared = {
    className: classes.entry,
    "data-unread": item.read_at ? undefined : true,
    onClick: onOpen,
  };
  if (!item.order_id) return <div {...shared}>{content}</div>;
  return (
    <Link
      to="/orders/$orderId"
      params={{ orderId: item.order_id }}
      search={item.kind === "message_received" ? { chat: item.order_id } : {}}
      {...shared}
    >
      {content}
    </Link>
  );
}
