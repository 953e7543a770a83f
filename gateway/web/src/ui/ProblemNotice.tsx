import { Alert } from "@mantine/core";
import { useTranslation } from "react-i18next";
import { Problem } from "@/http";
import { BlockedText } from "./BlockedText";
import { useProblemText } from "./problem";

/**
 * Says why a form was refused.
 *
 * @param text what was typed into the form's free text: where contact information was found, it is shown in it.
 */
export function ProblemNotice({ error, text }: { error: unknown; text?: string }) {
  const problem = useProblemText();
  const { t } = useTranslation();
  if (!error) return null;
  const members = error instanceof Problem ? error.members : {};
  if (text && members.findings) return <BlockedText text={text} findings={members.findings} />;
  return (
    <Alert color="signal" variant="light" role="alert">
      {members.errors?.length
        ? members.errors.map(({ pointer, detail }) => (
            <div key={pointer}>
              {t("problems.at", { field: pointer.slice(1).replaceAll("_", " "), detail })}
            </div>
          ))
        : problem(error)}
    </Alert>
  );
}
