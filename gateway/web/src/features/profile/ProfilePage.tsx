import { Skeleton } from "@mantine/core";
import { IconStar } from "@tabler/icons-react";
import { getRouteApi } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import type { CompletedOrder, Profile } from "@/api/schema";
import { useAccount } from "@/features/account/queries";
import { ReviewItem } from "@/features/reviews/ReviewItem";
import { useFormat } from "@/i18n/format";
import { ButtonLink } from "@/ui/links";
import { MoreOnScroll } from "@/ui/MoreOnScroll";
import { OrganisationMark } from "@/ui/OrganisationMark";
import { Page, Panel } from "@/ui/Page";
import { Stars } from "@/ui/Stars";
import { EmptyState, ErrorState } from "@/ui/states";
import { Distribution } from "./Distribution";
import classes from "./ProfilePage.module.css";
import { useCompletedOrders, useProfile, useReviews } from "./queries";

const route = getRouteApi("/signed-in/organisations/$organisationId");

export function ProfilePage() {
  const { t, i18n } = useTranslation();
  const { organisationId } = route.useParams();
  const { organisation: own } = useAccount();
  const { data: profile, error, refetch } = useProfile(organisationId);

  if (error && !profile) return <ErrorState error={error} retry={refetch} />;
  if (!profile) return <ProfileSkeleton />;
  const { organisation } = profile;
  const country =
    organisation.country && new Intl.DisplayNames(i18n.language, { type: "region" }).of(organisation.country);

  return (
    <Page
      title={organisation.name}
      mark={<OrganisationMark organisation={organisation} size="large" />}
      eyebrow={[t(`sides.${organisation.kind}`), country].filter(Boolean).join(" · ")}
      actions={
        own.kind === "buyer" &&
        organisation.kind === "factory" && (
          <ButtonLink to="/orders/new" search={{ factory: organisation.id }}>
            {t("dashboard.acceptQuote")}
          </ButtonLink>
        )
      }
    >
      <Figures profile={profile} />
      <Reviews organisationId={organisationId} />
      <CompletedOrders organisationId={organisationId} />
    </Page>
  );
}

function Figures({ profile }: { profile: Profile }) {
  const { t } = useTranslation();
  const format = useFormat();
  const { rating, on_time_rate } = profile;
  return (
    <Panel>
      <div className={classes.figures}>
        <div>
          <div className={classes.average}>
            {typeof rating?.average === "number" ? format.rating(rating.average) : "–"}
          </div>
          <Stars rating={rating?.average ?? 0} size={18} />
          <div className={classes.small}>{t("profile.reviewCount", { count: rating?.count ?? 0 })}</div>
        </div>
        {rating && <Distribution distribution={rating.distribution} />}
        <div>
          <div className={classes.average}>
            {typeof on_time_rate === "number" ? format.percent(on_time_rate) : "–"}
          </div>
          <div className={classes.small}>{t("profile.onTime")}</div>
        </div>
      </div>
      {profile.degraded.length > 0 && <p className={classes.small}>{t("profile.degraded")}</p>}
    </Panel>
  );
}

function Reviews({ organisationId }: { organisationId: string }) {
  const { t } = useTranslation();
  const list = useReviews(organisationId);
  const reviews = list.data?.pages.flatMap((page) => page?.items ?? []);
  return (
    <Panel title={t("orders.reviews")}>
      {!reviews && <Skeleton height="5rem" />}
      {reviews?.length === 0 && <EmptyState icon={<IconStar />} title={t("profile.noReviews")} />}
      {reviews?.map((review) => (
        <ReviewItem key={review.id} review={review} />
      ))}
      <MoreOnScroll list={list} />
    </Panel>
  );
}

function CompletedOrders({ organisationId }: { organisationId: string }) {
  const { t } = useTranslation();
  const list = useCompletedOrders(organisationId);
  const orders = list.data?.pages.flatMap((page) => page?.items ?? []);
  return (
    <Panel title={t("profile.completed")}>
      {!orders && <Skeleton height="5rem" />}
      {orders?.length === 0 && <p className={classes.small}>{t("profile.noneCompleted")}</p>}
      {orders && orders.length > 0 && (
        <ul className={classes.orders}>
          {orders.map((order) => (
            <CompletedLine key={order.id} order={order} organisationId={organisationId} />
          ))}
        </ul>
      )}
      <MoreOnScroll list={list} />
    </Panel>
  );
}

function CompletedLine({ order, organisationId }: { order: CompletedOrder; organisationId: string }) {
  const { t } = useTranslation();
  const format = useFormat();
  const partner = order.buyer.id === organisationId ? order.factory : order.buyer;
  return (
    <li className={classes.order}>
      <div>
        <div className={classes.product}>{order.product.name}</div>
        <div className={classes.small}>
          {format.number(order.quantity)} {order.unit} · {t("profile.with", { name: partner.name })}
        </div>
      </div>
      <time className={classes.small} dateTime={order.completed_at}>
        {format.date(order.completed_at)}
      </time>
    </li>
  );
}

function ProfileSkeleton() {
  return (
    <Page title="…">
      <Skeleton height="9rem" mb="md" />
      <Skeleton height="16rem" />
    </Page>
  );
}
