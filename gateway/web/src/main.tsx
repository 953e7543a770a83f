import "@mantine/core/styles/baseline.css";
import "@mantine/core/styles/default-css-variables.css";
import "@mantine/core/styles/global.css";
import "./app/mantine.css";
import "virtual:theme-variables.css";
import "./app/global.css";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { App } from "./app/App";
import { meQuery } from "./features/account/queries";
import { startTranslation } from "./i18n";
import { queryClient } from "./queries";

// Every page but these two waits for this answer; on a slow network it is there with the texts, not after them.
if (!/^\/sign-(in|up)$/.test(location.pathname)) void queryClient.prefetchQuery(meQuery);
await startTranslation();
const root = document.getElementById("root");
if (root) {
  createRoot(root).render(
    <StrictMode>
      <App />
    </StrictMode>,
  );
}
