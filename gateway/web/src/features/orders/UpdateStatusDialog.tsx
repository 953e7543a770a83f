import { Button, Group, Modal, NativeSelect, Stack, Textarea, TextInput } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { type FormEvent, useState } from "react";
import { useTranslation } from "react-i18next";
import type { NewTracking } from "@/api/schema";
import { ProblemNotice } from "@/ui/ProblemNotice";
import { useFocusBack } from "@/ui/useFocusBack";
import type { ActionableOrder } from "./OrderActions";
import { Pipeline } from "./Pipeline";
import { useAdvance } from "./queries";

const CARRIERS = ["dhl", "fedex", "ups", "sf-express", "ems", "usps", "maersk", "other"] as const;

export default function UpdateStatusDialog({
  order,
  onClose,
}: {
  order: ActionableOrder;
  onClose: () => void;
}) {
  const { t } = useTranslation();
  useFocusBack();
  // The stage that was asked for stays, whatever comes in live while the dialog is open.
  const [to] = useState(order.next_status);
  const [note, setNote] = useState("");
  const [carrier, setCarrier] = useState<NewTracking["carrier"]>("dhl");
  const [number, setNumber] = useState("");
  const advance = useAdvance(order.id);
  if (!to) return null;

  const ships = to === "shipped";
  const stage = t(`status.${to}`);

  function submit(event: FormEvent) {
    event.preventDefault();
    if (!to) return;
    const tracking = ships && number.trim() ? { carrier, number: number.trim() } : null;
    advance.mutate(
      { to, note: note.trim() || null, tracking },
      {
        onSuccess: () => {
          notifications.show({ message: t("updateStatus.done", { number: order.number, status: stage }) });
          onClose();
        },
      },
    );
  }

  return (
    <Modal
      opened
      onClose={onClose}
      closeButtonProps={{ "aria-label": t("actions.close") }}
      title={t("updateStatus.title", { number: order.number })}
    >
      <form onSubmit={submit}>
        <Stack>
          <div>
            <p style={{ margin: "0 0 0.75rem", fontWeight: 600 }}>{order.product.name}</p>
            <Pipeline status={order.status} next={to} />
          </div>
          <p style={{ margin: 0 }}>{t(`updateStatus.meaning.${to}`)}</p>
          {ships && (
            <Group align="flex-start" grow preventGrowOverflow={false}>
              <NativeSelect
                label={t("tracking.carrier")}
                value={carrier}
                onChange={(event) =>
                  setCarrier(CARRIERS.find((one) => one === event.target.value) ?? "other")
                }
                data={CARRIERS.map((value) => ({ value, label: t(`carriers.${value}`) }))}
              />
              <TextInput
                label={t("tracking.number")}
                description={t("tracking.optional")}
                inputWrapperOrder={["label", "input", "description", "error"]}
                value={number}
                maxLength={64}
                autoComplete="off"
                spellCheck={false}
                onChange={(event) => setNumber(event.target.value)}
              />
            </Group>
          )}
          <Textarea
            data-autofocus
            label={t("updateStatus.note")}
            description={t("updateStatus.noteHint")}
            value={note}
            maxLength={1000}
            autosize
            minRows={2}
            maxRows={8}
            onChange={(event) => setNote(event.target.value)}
          />
          <ProblemNotice error={advance.error} text={note} />
          <Group justify="flex-end">
            <Button variant="default" onClick={onClose}>
              {t("actions.cancel")}
            </Button>
            <Button type="submit" loading={advance.isPending}>
              {t("updateStatus.confirm", { status: stage })}
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}
