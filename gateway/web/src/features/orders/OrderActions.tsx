import { Button } from "@mantine/core";
import { IconArrowRight, IconCheck, IconStar } from "@tabler/icons-react";
import { lazy, Suspense, useState } from "react";
import { useTranslation } from "react-i18next";
import type { Card, Order } from "@/api/schema";

const update = () => import("./UpdateStatusDialog");
const confirm = () => import("./ConfirmReceiptDialog");
const review = () => import("@/features/reviews/ReviewDialog");
const UpdateStatusDialog = lazy(update);
const ConfirmReceiptDialog = lazy(confirm);
const ReviewDialog = lazy(review);

export const loadDialogs = () => Promise.all([update(), confirm(), review()]);

export type ActionableOrder = Card | Order;

/** The one step that this person can take now, with the dialog that asks before it is taken. */
export function OrderActions({ order }: { order: ActionableOrder }) {
  const { t } = useTranslation();
  const [open, setOpen] = useState<"advance" | "confirm_receipt" | "review">();
  const close = () => setOpen(undefined);
  const may = order.allowed_actions;

  return (
    <>
      {may.includes("advance") && (
        <Button rightSection={<IconArrowRight size={17} />} onClick={() => setOpen("advance")}>
          {t("orders.updateStatus")}
        </Button>
      )}
      {may.includes("confirm_receipt") && (
        <Button leftSection={<IconCheck size={17} />} onClick={() => setOpen("confirm_receipt")}>
          {t("orders.confirmReceipt")}
        </Button>
      )}
      {may.includes("review") && (
        <Button leftSection={<IconStar size={17} />} onClick={() => setOpen("review")}>
          {t("orders.review")}
        </Button>
      )}
      <Suspense>
        {open === "advance" && <UpdateStatusDialog order={order} onClose={close} />}
        {open === "confirm_receipt" && <ConfirmReceiptDialog order={order} onClose={close} />}
        {open === "review" && <ReviewDialog order={order} onClose={close} />}
      </Suspense>
    </>
  );
}
