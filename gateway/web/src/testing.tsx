import { cleanup, configure } from "@testing-library/react";
import { afterEach } from "vitest";
import { startTranslation } from "@/i18n";

await startTranslation();
// A machine that stalls makes nothing wrong.
configure({ asyncUtilTimeout: 30_000 });
afterEach(cleanup);
