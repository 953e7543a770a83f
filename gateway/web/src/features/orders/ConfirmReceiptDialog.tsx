import { Button, Group, Modal, Stack, Textarea } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { type FormEvent, useState } from "react";
import { useTranslation } from "react-i18next";
import { ProblemNotice } from "@/ui/ProblemNotice";
import { useFocusBack } from "@/ui/useFocusBack";
import type { ActionableOrder } from "./OrderActions";
import { useConfirmReceipt } from "./queries";

export default function ConfirmReceiptDialog({
  order,
  onClose,
}: {
  order: ActionableOrder;
  onClose: () => void;
}) {
  const { t } = useTranslation();
  useFocusBack();
  const [note, setNote] = useState("");
  const confirm = useConfirmReceipt(order.id);

  function submit(event: FormEvent) {
    event.preventDefault();
    confirm.mutate(note.trim() || null, {
      onSuccess: () => {
        notifications.show({ message: t("receipt.done") });
        onClose();
      },
    });
  }

  return (
    <Modal
      opened
      onClose={onClose}
      closeButtonProps={{ "aria-label": t("actions.close") }}
      title={t("receipt.title", { number: order.number })}
    >
      <form onSubmit={submit}>
        <Stack>
          <p style={{ margin: 0 }}>{t("receipt.meaning")}</p>
          <Textarea
            data-autofocus
            label={t("receipt.note")}
            value={note}
            maxLength={1000}
            autosize
            minRows={2}
            maxRows={8}
            onChange={(event) => setNote(event.target.value)}
          />
          <ProblemNotice error={confirm.error} text={note} />
          <Group justify="flex-end">
            <Button variant="default" onClick={onClose}>
              {t("actions.cancel")}
            </Button>
            <Button type="submit" loading={confirm.isPending}>
              {t("orders.confirmReceipt")}
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}
