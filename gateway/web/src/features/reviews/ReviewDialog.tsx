import { Button, Group, Modal, Rating, Stack, Textarea } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { type FormEvent, useState } from "react";
import { useTranslation } from "react-i18next";
import type { Aspects } from "@/api/schema";
import { useAccount } from "@/features/account/queries";
import type { ActionableOrder } from "@/features/orders/OrderActions";
import { useSubmitReview } from "@/features/orders/queries";
import { ProblemNotice } from "@/ui/ProblemNotice";
import { useFocusBack } from "@/ui/useFocusBack";
import { ASPECTS } from "./aspects";
import classes from "./reviews.module.css";

export default function ReviewDialog({ order, onClose }: { order: ActionableOrder; onClose: () => void }) {
  const { t } = useTranslation();
  useFocusBack();
  const { organisation } = useAccount();
  const side = organisation.kind;
  const [rating, setRating] = useState(0);
  const [aspects, setAspects] = useState<Aspects>({});
  const [text, setText] = useState("");
  const submit = useSubmitReview(order.id);

  function onSubmit(event: FormEvent) {
    event.preventDefault();
    submit.mutate(
      { rating, text: text.trim() || null, aspects },
      {
        onSuccess: () => {
          notifications.show({ message: t(`review.done.${side}`) });
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
      title={t(`review.title.${side}`, { number: order.number })}
    >
      <form onSubmit={onSubmit}>
        <Stack>
          <p style={{ margin: 0 }}>{t(`review.meaning.${side}`)}</p>
          <div className={classes.overall}>
            <span id="overall">{t("review.overall")}</span>
            <Rating
              size="xl"
              role="radiogroup"
              aria-labelledby="overall"
              value={rating}
              onChange={setRating}
              getSymbolLabel={(count) => t("review.stars", { count })}
            />
          </div>
          <div className={classes.aspects}>
            {ASPECTS[side].map((aspect) => (
              <div key={aspect} className={classes.aspect}>
                <span id={`aspect-${aspect}`}>{t(`review.aspects.${aspect}`)}</span>
                <Rating
                  role="radiogroup"
                  aria-labelledby={`aspect-${aspect}`}
                  value={aspects[aspect] ?? 0}
                  onChange={(stars) => setAspects((old) => ({ ...old, [aspect]: stars }))}
                  getSymbolLabel={(count) => t("review.stars", { count })}
                />
              </div>
            ))}
          </div>
          <Textarea
            label={t("review.text")}
            description={t("review.textHint")}
            value={text}
            maxLength={4000}
            autosize
            minRows={3}
            maxRows={10}
            onChange={(event) => setText(event.target.value)}
          />
          <ProblemNotice error={submit.error} text={text} />
          <Group justify="flex-end">
            <Button variant="default" onClick={onClose}>
              {t("actions.cancel")}
            </Button>
            <Button type="submit" disabled={rating === 0} loading={submit.isPending}>
              {t("review.submit")}
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}
