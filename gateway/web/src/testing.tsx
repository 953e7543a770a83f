import { cleanup } from "@testing-library/react";
import { afterEach } from "vitest";
import { startTranslation } from "@/i18n";

await startTranslation();
afterEach(cleanup);
