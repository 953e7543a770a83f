import { Button, Skeleton } from "@mantine/core";
import { IconMessageCircle } from "@tabler/icons-react";
import { Link } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import type { Card } from "@/api/schema";
import { useAccount } from "@/features/account/queries";
import { DueBadge } from "@/features/orders/DueBadge";
import { OrderActions } from "@/features/orders/OrderActions";
import { Pipeline } from "@/features/orders/Pipeline";
import { WaitingNotice } from "@/features/orders/WaitingNotice";
import { useFormat } from "@/i18n/format";
import { CountBadge } from "@/ui/CountBadge";
import { useChanged } from "@/ui/useChanged";
import classes from "./OrderCard.module.css";

export function OrderCard({ card }: { card: Card }) {
  const { t } = useTranslation();
  const format = useFormat();
  const { organisation } = useAccount();
  const changed = useChanged(card.version);
  const unread = card.unread_messages ?? 0;

  return (
    <article
      className={classes.card}
      aria-labelledby={`order-${card.id}`}
      data-due={card.due.state}
      data-changed={changed || undefined}
    >
      <div className={classes.top}>
        <span className={classes.number}>{card.number}</span>
        <CountBadge count={unread} />
        <span className={classes.due}>
          <DueBadge due={card.due} />
        </span>
      </div>
      <h3 className={classes.product} id={`order-${card.id}`}>
        <Link to="/orders/$orderId" params={{ orderId: card.id }} title={card.product.name}>
          {card.product.name}
        </Link>
      </h3>
      <p className={classes.counterparty}>
        {t(organisation.kind === "factory" ? "orders.buyer" : "orders.factory")}{" "}
        <Link to="/organisations/$organisationId" params={{ organisationId: card.counterparty.id }}>
          {card.counterparty.name}
        </Link>
      </p>
      <dl className={classes.facts}>
        <div>
          <dt>{t("orders.quantity")}</dt>
          <dd>
            {format.number(card.quantity)} {card.unit}
          </dd>
        </div>
        <div>
          <dt>{t("orders.price")}</dt>
          <dd>
            {format.money(card.total)}
            <span className={classes.unitPrice}>
              {t("orders.each", { price: format.money(card.unit_price) })}
            </span>
          </dd>
        </div>
        <div>
          <dt>{t("orders.deadline")}</dt>
          <dd>{format.day(card.deadline)}</dd>
        </div>
      </dl>
      <Pipeline status={card.status} next={card.next_status} />
      <WaitingNotice order={card} />
      <div className={classes.actions}>
        <OrderActions order={card} />
        <Button
          renderRoot={(props) => (
            <Link to="." search={(old) => ({ ...old, chat: card.id })} resetScroll={false} {...props} />
          )}
          variant={unread > 0 ? "filled" : "default"}
          color={unread > 0 ? "signal" : undefined}
          leftSection={<IconMessageCircle size={17} />}
        >
          {unread === 0 && t("orders.openChat")}
          {unread > 0 && (
            <>
              <span aria-hidden="true">
                {t("orders.openChat")}
                <span className={classes.unread}>{format.number(unread)}</span>
              </span>
              <span className="sr-only">{t("orders.openChatUnread", { count: unread })}</span>
            </>
          )}
        </Button>
      </div>
    </article>
  );
}

export function OrderCardSkeleton() {
  return (
    <li className={classes.card} aria-hidden="true">
      <Skeleton height="1rem" width="40%" mb="0.75rem" />
      <Skeleton height="1.375rem" width="85%" mb="0.5rem" />
      <Skeleton height="1rem" width="55%" mb="1.25rem" />
      <Skeleton height="2.75rem" mb="1.25rem" />
      <Skeleton height="2rem" mb="1.25rem" />
      <Skeleton height="2.25rem" />
    </li>
  );
}
