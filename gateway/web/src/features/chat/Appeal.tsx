import { Anchor } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { answerOf, api } from "@/http";
import { useProblemText } from "@/ui/problem";

/** Has a person look at a message that was blocked by mistake. */
export function Appeal({ orderId, blockRef, text }: { orderId: string; blockRef: string; text: string }) {
  const { t } = useTranslation();
  const problem = useProblemText();
  const appeal = useMutation({
    mutationFn: () =>
      answerOf(
        api.POST("/api/v1/orders/{order_id}/messages/blocked/{ref}/appeal", {
          params: { path: { order_id: orderId, ref: blockRef } },
          body: { text },
        }),
      ),
  });
  if (appeal.isSuccess) return <span role="status">{t(`blocked.appealed.${appeal.data.state}`)}</span>;
  return (
    <>
      <Anchor
        component="button"
        type="button"
        inherit
        disabled={appeal.isPending}
        onClick={() => appeal.mutate()}
      >
        {t("blocked.appeal")}
      </Anchor>
      {appeal.isError && <span role="alert"> {problem(appeal.error)}</span>}
    </>
  );
}
