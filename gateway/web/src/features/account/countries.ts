import { useMemo } from "react";
import { useTranslation } from "react-i18next";

const CODES =
  "AR AU AT BD BE BR BG KH CA CL CN CO HR CZ DK EG EE ET FI FR DE GR HK HU IN ID IE IL IT JP JO KE KR LV LT LU MY MX MA NL NZ NO PK PE PH PL PT RO SA RS SG SK SI ZA ES LK SE CH TW TH TN TR UA AE GB US VN";

/** Countries by their names in the reader's language, in its order. */
export function useCountries(): { value: string; label: string }[] {
  const { i18n } = useTranslation();
  return useMemo(() => {
    const names = new Intl.DisplayNames(i18n.language, { type: "region" });
    return CODES.split(" ")
      .map((value) => ({ value, label: names.of(value) ?? value }))
      .sort((a, b) => a.label.localeCompare(b.label, i18n.language));
  }, [i18n.language]);
}
