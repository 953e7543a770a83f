import { Button, Skeleton } from "@mantine/core";
import { IconExternalLink, IconMessageCircle } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import type { Order } from "@/api/schema";
import { reviewsQuery } from "@/features/reviews/queries";
import { ReviewItem } from "@/features/reviews/ReviewItem";
import { useFormat } from "@/i18n/format";
import { Page, Panel } from "@/ui/Page";
import { ErrorState } from "@/ui/states";
import { DueBadge } from "./DueBadge";
import { History } from "./History";
import { OrderActions } from "./OrderActions";
import classes from "./OrderPage.module.css";
import { Pipeline } from "./Pipeline";
import { orderQuery } from "./queries";
import { WaitingNotice } from "./WaitingNotice";

const route = getRouteApi("/signed-in/orders/$orderId");

export function OrderPage() {
  const { t } = useTranslation();
  const { orderId } = route.useParams();
  const { data: order, error, refetch } = useQuery(orderQuery(orderId));

  if (error && !order) return <ErrorState error={error} retry={refetch} />;
  if (!order) return <OrderSkeleton />;
  return (
    <Page
      title={order.product.name}
      eyebrow={
        <span className="num">
          {order.number} <DueBadge due={order.due} />
        </span>
      }
      actions={
        <>
          <Button
            renderRoot={(props) => <Link to="." search={{ chat: order.id }} resetScroll={false} {...props} />}
            variant="default"
            leftSection={<IconMessageCircle size={17} />}
          >
            {t("orders.openChat")}
          </Button>
          <OrderActions order={order} />
        </>
      }
    >
      <Panel>
        <Pipeline status={order.status} next={order.next_status} />
        <WaitingNotice order={order} />
      </Panel>
      <Panel title={t("orders.details")}>
        <Details order={order} />
      </Panel>
      <Panel title={t("orders.history")}>
        <History entries={order.history} />
      </Panel>
      <Reviews order={order} />
    </Page>
  );
}

function Details({ order }: { order: Order }) {
  const { t } = useTranslation();
  const format = useFormat();
  const { product, tracking } = order;
  return (
    <dl className={classes.details}>
      <Fact name={t("orders.buyer")}>
        <Link to="/organisations/$organisationId" params={{ organisationId: order.buyer.id }}>
          {order.buyer.name}
        </Link>
      </Fact>
      <Fact name={t("orders.factory")}>
        <Link to="/organisations/$organisationId" params={{ organisationId: order.factory.id }}>
          {order.factory.name}
        </Link>
      </Fact>
      <Fact name={t("orders.quantity")}>
        {format.number(order.quantity)} {order.unit}
      </Fact>
      <Fact name={t("orders.unitPrice")}>{format.money(order.unit_price)}</Fact>
      <Fact name={t("orders.total")}>{format.money(order.total)}</Fact>
      <Fact name={t("orders.deadline")}>{format.day(order.deadline)}</Fact>
      {product.sku && <Fact name={t("orders.sku")}>{product.sku}</Fact>}
      <Fact name={t("orders.quote")}>{order.quote_id}</Fact>
      {order.shipping_terms && <Fact name={t("orders.shippingTerms")}>{order.shipping_terms}</Fact>}
      {order.destination && <Fact name={t("orders.destination")}>{order.destination}</Fact>}
      {tracking && (
        <Fact name={t("tracking.title")}>
          {t(`carriers.${tracking.carrier}`)}{" "}
          {tracking.url ? (
            <a href={tracking.url} target="_blank" rel="noreferrer">
              {tracking.number} <IconExternalLink size={14} aria-hidden="true" />
            </a>
          ) : (
            tracking.number
          )}
          {tracking.warning && <span className={classes.warning}>{t("tracking.warning")}</span>}
        </Fact>
      )}
      {product.specification && (
        <Fact name={t("orders.specification")} wide>
          {product.specification}
        </Fact>
      )}
    </dl>
  );
}

function Fact({ name, wide, children }: { name: string; wide?: boolean; children: React.ReactNode }) {
  return (
    <div className={classes.fact} data-wide={wide || undefined}>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

function Reviews({ order }: { order: Order }) {
  const { t } = useTranslation();
  const { data } = useQuery({
    ...reviewsQuery(order.id),
    enabled: order.status === "delivered" || order.status === "completed",
  });
  if (!data?.items.length) return null;
  return (
    <Panel title={t("orders.reviews")}>
      {data.items.map((review) => (
        <ReviewItem key={review.id} review={review} />
      ))}
    </Panel>
  );
}

function OrderSkeleton() {
  return (
    <div className={classes.skeleton} aria-hidden="true">
      <Skeleton height="1rem" width="12rem" />
      <Skeleton height="2rem" width="70%" />
      <Skeleton height="6rem" mt="md" />
      <Skeleton height="14rem" />
    </div>
  );
}
