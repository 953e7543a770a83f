import { CloseButton, NativeSelect, TextInput } from "@mantine/core";
import { useDebouncedCallback } from "@mantine/hooks";
import { IconSearch } from "@tabler/icons-react";
import { useNavigate } from "@tanstack/react-router";
import { useEffect, useState } from "react";
import { useTranslation } from "react-i18next";
import { PIPELINE } from "@/features/orders/pipeline";
import { DUES, type Filters, SORTS } from "./filters";
import classes from "./Toolbar.module.css";

const ACTIVE = PIPELINE.filter((status) => status !== "completed");

export function Toolbar({ filters }: { filters: Filters }) {
  const { t } = useTranslation();
  const navigate = useNavigate({ from: "/" });

  const change = (changes: Partial<Filters>) =>
    navigate({ search: (old) => ({ ...old, ...changes }), replace: true, resetScroll: false });

  return (
    <div className={classes.toolbar}>
      <h2 className={classes.title}>
        {filters.state === "completed" ? t("dashboard.completedOrders") : t("dashboard.activeOrders")}
      </h2>
      <search className={classes.filters}>
        <Search value={filters.q} onChange={(q) => change({ q })} />
        <NativeSelect
          aria-label={t("filters.state")}
          value={filters.state ?? "active"}
          onChange={(event) =>
            change(
              event.target.value === "completed"
                ? { state: "completed", status: undefined, due: undefined }
                : { state: undefined },
            )
          }
          data={[
            { value: "active", label: t("filters.active") },
            { value: "completed", label: t("filters.completed") },
          ]}
        />
        {filters.state !== "completed" && (
          <>
            <NativeSelect
              aria-label={t("filters.status")}
              value={filters.status ?? ""}
              onChange={(event) => change({ status: ACTIVE.find((status) => status === event.target.value) })}
              data={[
                { value: "", label: t("filters.anyStatus") },
                ...ACTIVE.map((status) => ({ value: status, label: t(`status.${status}`) })),
              ]}
            />
            <NativeSelect
              aria-label={t("filters.due")}
              value={filters.due ?? ""}
              onChange={(event) => change({ due: DUES.find((due) => due === event.target.value) })}
              data={[
                { value: "", label: t("filters.anyDue") },
                ...DUES.map((due) => ({ value: due, label: t(`filters.${due}`) })),
              ]}
            />
          </>
        )}
        <NativeSelect
          aria-label={t("filters.sort")}
          value={filters.sort ?? "deadline"}
          onChange={(event) => change({ sort: SORTS.find((sort) => sort === event.target.value) })}
          data={SORTS.map((sort) => ({ value: sort, label: t(`sort.${sort}`) }))}
        />
      </search>
    </div>
  );
}

function Search({ value = "", onChange }: { value: string | undefined; onChange: (value?: string) => void }) {
  const { t } = useTranslation();
  const [text, setText] = useState(value);
  const search = useDebouncedCallback((typed: string) => onChange(typed.trim() || undefined), 250);
  // The address can change by itself: "back", or "clear filters".
  useEffect(() => setText((typed) => (typed.trim() === value ? typed : value)), [value]);

  return (
    <TextInput
      type="search"
      className={classes.search}
      aria-label={t("filters.search")}
      placeholder={t("filters.search")}
      leftSection={<IconSearch size={16} />}
      rightSection={
        text && (
          <CloseButton
            size="sm"
            aria-label={t("filters.clearSearch")}
            onClick={() => {
              setText("");
              onChange(undefined);
            }}
          />
        )
      }
      value={text}
      maxLength={200}
      onChange={(event) => {
        setText(event.target.value);
        search(event.target.value);
      }}
    />
  );
}
