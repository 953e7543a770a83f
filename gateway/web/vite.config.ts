import { fileURLToPath } from "node:url";
import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";
import { compressed } from "./build/compressed.ts";
import { themeVariables } from "./build/theme-variables.ts";

export default defineConfig({
  plugins: [react(), themeVariables(), compressed()],
  resolve: { alias: { "@": fileURLToPath(new URL("./src", import.meta.url)) } },
  build: {
    assetsInlineLimit: 0,
    rolldownOptions: {
      output: {
        // A shared piece would be named after all who share it.
        chunkFileNames: ({ name }) => `assets/${name.split("~")[0]}-[hash].js`,
        codeSplitting: {
          groups: [
            // Changes with the library alone, so that a browser keeps it over our releases.
            { name: "react", test: /node_modules[\\/](react|react-dom|scheduler)[\\/]/, priority: 2 },
            // Whatever the first page needs, in one piece instead of fifty.
            { name: "main", test: /src[\\/]main\.tsx$/, priority: 1 },
            // What several of the other pages share, in a few pieces by who needs them.
            { name: "shared", minShareCount: 2, entriesAware: true, entriesAwareMergeThreshold: 20_000 },
          ],
        },
      },
    },
  },
  server: { proxy: { "/api": process.env.MILLRACE_GATEWAY ?? "http://127.0.0.1:8080" } },
  test: { environment: "happy-dom", setupFiles: "src/testing.tsx", css: false, testTimeout: 60_000 },
});
