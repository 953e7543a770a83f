import { Button, Group, NativeSelect, NumberInput, Stack, Textarea, TextInput } from "@mantine/core";
import { getRouteApi, useNavigate } from "@tanstack/react-router";
import { type FormEvent, useState } from "react";
import { useTranslation } from "react-i18next";
import type { NewOrder } from "@/api/schema";
import { Problem } from "@/http";
import { Page, Panel } from "@/ui/Page";
import { ProblemNotice } from "@/ui/ProblemNotice";
import { FactoryField } from "./FactoryField";
import classes from "./NewOrderPage.module.css";
import { useCreateOrder } from "./queries";

const route = getRouteApi("/signed-in/orders/new");
const CURRENCIES = ["USD", "EUR", "CNY", "GBP", "JPY"];

/** Accepting a quote by hand, for marketplaces without a quoting system of their own. */
export function NewOrderPage() {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const create = useCreateOrder();
  const { factory = "" } = route.useSearch();
  const [factoryId, setFactoryId] = useState(factory);
  const problem = create.error instanceof Problem ? create.error : undefined;

  function submit(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const text = (name: string) => String(form.get(name) ?? "").trim();
    const body: NewOrder = {
      quote_id: text("quote_id"),
      factory_id: factoryId,
      product: {
        name: text("product"),
        sku: text("sku") || null,
        specification: text("specification") || null,
      },
      quantity: Number(text("quantity")),
      unit: text("unit"),
      unit_price: { amount: text("amount").replace(",", "."), currency: text("currency") },
      deadline: text("deadline"),
      shipping_terms: text("shipping_terms") || null,
      destination: text("destination") || null,
    };
    create.mutate(body, {
      onSuccess: (order) => navigate({ to: "/orders/$orderId", params: { orderId: order.id } }),
    });
  }

  const field = (name: string, pointer = `/${name}`) => ({
    name,
    required: true,
    withAsterisk: false,
    error: problem?.at(pointer),
  });
  const optional = (name: string) => ({ ...field(name), required: false });

  return (
    <Page title={t("newOrder.title")} eyebrow={t("newOrder.eyebrow")}>
      <form onSubmit={submit}>
        <Panel title={t("newOrder.quote")}>
          <div className={classes.grid}>
            <TextInput label={t("newOrder.quoteId")} maxLength={100} {...field("quote_id")} />
            <FactoryField value={factoryId} onChange={setFactoryId} error={problem?.at("/factory_id")} />
          </div>
        </Panel>
        <Panel title={t("newOrder.product")}>
          <Stack>
            <div className={classes.grid}>
              <TextInput label={t("newOrder.name")} maxLength={200} {...field("product", "/product/name")} />
              <TextInput label={t("orders.sku")} maxLength={100} {...optional("sku")} />
            </div>
            <Textarea
              label={t("orders.specification")}
              maxLength={4000}
              autosize
              minRows={3}
              {...optional("specification")}
            />
          </Stack>
        </Panel>
        <Panel title={t("newOrder.terms")}>
          <Stack>
            <div className={classes.grid}>
              <NumberInput
                label={t("orders.quantity")}
                min={1}
                max={1_000_000_000}
                allowDecimal={false}
                allowNegative={false}
                hideControls
                {...field("quantity")}
              />
              <TextInput label={t("newOrder.unit")} defaultValue="pcs" maxLength={20} {...field("unit")} />
              <TextInput
                label={t("orders.unitPrice")}
                inputMode="decimal"
                pattern="[0-9]+([.,][0-9]+)?"
                {...field("amount", "/unit_price/amount")}
                error={problem?.at("/unit_price/amount") ?? problem?.at("/unit_price")}
              />
              <NativeSelect label={t("newOrder.currency")} data={CURRENCIES} name="currency" />
              <TextInput
                label={t("orders.deadline")}
                type="date"
                min={new Date().toISOString().slice(0, 10)}
                {...field("deadline")}
              />
              <TextInput
                label={t("orders.shippingTerms")}
                placeholder="FOB Ningbo"
                maxLength={200}
                {...optional("shipping_terms")}
              />
            </div>
            <Textarea
              label={t("orders.destination")}
              maxLength={500}
              autosize
              minRows={2}
              {...optional("destination")}
            />
          </Stack>
        </Panel>
        <ProblemNotice error={create.error} />
        <Group justify="flex-end" mt="md">
          <Button type="submit" size="md" loading={create.isPending}>
            {t("newOrder.submit")}
          </Button>
        </Group>
      </form>
    </Page>
  );
}
