import { Button, Skeleton } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { useTranslation } from "react-i18next";
import { useFormat } from "@/i18n/format";
import { MoreOnScroll } from "@/ui/MoreOnScroll";
import { useProblemText } from "@/ui/problem";
import { ErrorState } from "@/ui/states";
import { useDeliveries, useRedeliver } from "./queries";
import classes from "./SettingsPage.module.css";

export function DeliveryLog({ webhookId }: { webhookId: string }) {
  const { t } = useTranslation();
  const format = useFormat();
  const problem = useProblemText();
  const list = useDeliveries(webhookId);
  const deliveries = list.data?.pages.flatMap((page) => page.items);
  const redeliver = useRedeliver(webhookId);

  if (!deliveries && list.error) return <ErrorState error={list.error} retry={list.refetch} />;
  if (!deliveries) return <Skeleton height="6rem" />;
  if (deliveries.length === 0) return <p className={classes.small}>{t("webhooks.noDeliveries")}</p>;
  return (
    <div className={`${classes.scroll} ${classes.log}`}>
      <table className={classes.table}>
        <thead>
          <tr>
            <th scope="col">{t("webhooks.event")}</th>
            <th scope="col">{t("webhooks.state")}</th>
            <th scope="col">{t("webhooks.attempts")}</th>
            <th scope="col">{t("webhooks.answer")}</th>
            <th scope="col">{t("webhooks.when")}</th>
            <td />
          </tr>
        </thead>
        <tbody>
          {deliveries.map((delivery) => {
            const last = delivery.attempts.at(-1);
            return (
              <tr key={delivery.id}>
                <td>{delivery.event_type}</td>
                <td className={classes.state} data-state={delivery.state}>
                  {t(`webhooks.states.${delivery.state}`)}
                  {delivery.next_attempt_at && delivery.attempts.length > 0 && (
                    <div className={classes.small}>
                      {t("webhooks.nextTry", { when: format.time(delivery.next_attempt_at) })}
                    </div>
                  )}
                </td>
                <td className="num">{delivery.attempts.length}</td>
                <td className="num">{last?.status ?? last?.error ?? "–"}</td>
                <td className="num">{format.dateTime(delivery.created_at)}</td>
                <td>
                  <Button
                    variant="subtle"
                    size="compact-sm"
                    onClick={() =>
                      redeliver.mutate(delivery.id, {
                        onError: (failure) =>
                          notifications.show({ message: problem(failure), color: "signal" }),
                      })
                    }
                  >
                    {t("webhooks.redeliver")}
                  </Button>
                </td>
              </tr>
            );
          })}
        </tbody>
      </table>
      <MoreOnScroll list={list} />
    </div>
  );
}
