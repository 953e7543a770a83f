import { IconStarFilled } from "@tabler/icons-react";
import { useTranslation } from "react-i18next";
import classes from "./Stars.module.css";

export function Stars({ rating, size = 16 }: { rating: number; size?: number }) {
  const { t } = useTranslation();
  return (
    <span className={classes.stars} role="img" aria-label={t("review.stars", { count: rating })}>
      {[1, 2, 3, 4, 5].map((star) => (
        <IconStarFilled key={star} size={size} data-lit={star <= Math.round(rating) || undefined} />
      ))}
    </span>
  );
}
