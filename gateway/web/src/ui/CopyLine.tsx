import { Button, CopyButton, Group } from "@mantine/core";
import { IconCheck, IconCopy } from "@tabler/icons-react";
import { useTranslation } from "react-i18next";
import classes from "./CopyLine.module.css";

/** Something that is shown only once, with a button that copies it. */
export function CopyLine({ hint, value }: { hint: string; value: string }) {
  const { t } = useTranslation();
  return (
    <div role="status">
      <p className={classes.hint}>{hint}</p>
      <Group wrap="nowrap" mt="xs">
        <span className={classes.code}>{value}</span>
        <CopyButton value={value}>
          {({ copied, copy }) => (
            <Button
              variant="default"
              className={classes.button}
              leftSection={copied ? <IconCheck size={16} /> : <IconCopy size={16} />}
              onClick={copy}
            >
              {copied ? t("actions.copied") : t("actions.copy")}
            </Button>
          )}
        </CopyButton>
      </Group>
    </div>
  );
}
