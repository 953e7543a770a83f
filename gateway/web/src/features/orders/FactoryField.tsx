import { NativeSelect, TextInput } from "@mantine/core";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { useProfile } from "@/features/profile/queries";
import { useFactoriesOfOrders } from "./queries";

const ANOTHER = "another";

interface FactoryFieldProps {
  /** Its id, or nothing yet. */
  value: string;
  onChange: (factoryId: string) => void;
  error: string | undefined;
}

/** Whose quote it is: a factory of earlier orders by its name, any other by the address of its profile. */
export function FactoryField({ value, onChange, error }: FactoryFieldProps) {
  const { t } = useTranslation();
  const { data: known = [], isPending } = useFactoriesOfOrders();
  const { data: profile, error: missing } = useProfile(value);
  // Whom the page was opened for need not be among those of earlier orders.
  const [isGiven] = useState(value !== "");
  const [byAddress, setByAddress] = useState(false);
  const [address, setAddress] = useState("");

  const found = profile?.organisation.kind === "factory" ? profile.organisation : undefined;
  const choices = isGiven && found && !known.some(({ id }) => id === found.id) ? [found, ...known] : known;

  if (!byAddress && (isPending || isGiven || choices.length > 0)) {
    return (
      <NativeSelect
        label={t("orders.factory")}
        required
        withAsterisk={false}
        disabled={isPending}
        value={value}
        error={error}
        onChange={({ target }) => {
          setByAddress(target.value === ANOTHER);
          onChange(target.value === ANOTHER ? "" : target.value);
        }}
        data={[
          { value: "", label: t("newOrder.chooseFactory"), disabled: true },
          ...choices.map(({ id, name }) => ({ value: id, label: name })),
          { value: ANOTHER, label: t("newOrder.anotherFactory") },
        ]}
      />
    );
  }
  return (
    <TextInput
      label={t("orders.factory")}
      description={found ? `✓ ${found.name}` : t("newOrder.factoryHint")}
      inputWrapperOrder={["label", "input", "description", "error"]}
      required
      withAsterisk={false}
      maxLength={500}
      autoComplete="off"
      value={address}
      error={error ?? (missing || (profile && !found) ? t("newOrder.noFactory") : undefined)}
      onChange={({ target }) => {
        setAddress(target.value);
        onChange(idIn(target.value));
      }}
    />
  );
}

/** The id at the end of a profile's address, or the text itself where it is no address. */
export function idIn(address: string): string {
  return (
    address
      .trim()
      .replace(/[?#].*$/, "")
      .replace(/\/+$/, "")
      .split("/")
      .at(-1) ?? ""
  );
}
