import { Drawer } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { useAccount } from "@/features/account/queries";
import { orderQuery } from "@/features/orders/queries";
import { ErrorState } from "@/ui/states";
import { useFocusBack } from "@/ui/useFocusBack";
import classes from "./ChatDrawer.module.css";
import { Conversation } from "./Conversation";
import { type Pictures, ShowPicturesProvider, Viewer } from "./Viewer";

/** An order's chat: beside the page on a desktop, the whole page on a phone. It lies open while the address says so. */
export default function ChatDrawer({ orderId }: { orderId: string }) {
  const { t } = useTranslation();
  useFocusBack();
  const { organisation } = useAccount();
  const { data: order, error, refetch } = useQuery(orderQuery(orderId));
  const [pictures, setPictures] = useState<Pictures>();
  const navigate = useNavigate();
  const close = () =>
    navigate({ to: ".", search: (old) => ({ ...old, chat: undefined }), resetScroll: false });
  const counterparty = organisation.kind === "factory" ? order?.buyer : order?.factory;

  return (
    <Drawer
      opened
      onClose={close}
      // Escape closes what lies on top: while a picture is shown, that alone.
      closeOnEscape={!pictures}
      position="right"
      size="31rem"
      padding={0}
      overlayProps={{ backgroundOpacity: 0.25 }}
      closeButtonProps={{ "aria-label": t("chat.close"), size: "lg" }}
      classNames={{
        content: classes.content,
        header: classes.header,
        body: classes.body,
        title: classes.title,
      }}
      title={
        <>
          <span className={classes.counterparty}>{counterparty?.name ?? t("chat.title")}</span>
          {order && (
            <span className={classes.order}>
              <Link to="/orders/$orderId" params={{ orderId }}>
                {order.number}
              </Link>{" "}
              · {t(`status.${order.status}`)} · {order.product.name}
            </span>
          )}
        </>
      }
    >
      {error ? (
        <ErrorState error={error} retry={refetch} />
      ) : (
        <ShowPicturesProvider value={setPictures}>
          <Conversation orderId={orderId} canSend={order?.allowed_actions.includes("send_message")} />
        </ShowPicturesProvider>
      )}
      {pictures && <Viewer {...pictures} show={setPictures} />}
    </Drawer>
  );
}
