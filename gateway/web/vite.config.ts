import { fileURLToPath } from "node:url";
import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";
import { compressed } from "./build/compressed.ts";
import { themeVariables } from "./build/theme-variables.ts";

export default defineConfig({
  plugins: [react(), themeVariables(), compressed()],
  resolve: { alias: { "@": fileURLToPath(new URL("./src", import.meta.url)) } },
  build: { assetsInlineLimit: 0 },
  server: { proxy: { "/api": process.env.MILLRACE_GATEWAY ?? "http://127.0.0.1:8080" } },
  test: { environment: "happy-dom", setupFiles: "src/testing.tsx", css: false },
});
