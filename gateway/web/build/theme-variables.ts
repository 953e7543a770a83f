import {
  convertCssVariables,
  DEFAULT_THEME,
  defaultCssVariablesResolver,
  mergeMantineTheme,
} from "@mantine/core";
import type { Plugin } from "vite";
import { theme } from "../src/app/theme.ts";

const NAME = "virtual:theme-variables.css";

/** Writes the theme's variables into the style sheet: at run time they would need an inline style, which our CSP forbids. */
export function themeVariables(): Plugin {
  return {
    name: "theme-variables",
    resolveId: (id) => (id === NAME ? `\0${NAME}` : undefined),
    load: (id) =>
      id === `\0${NAME}`
        ? convertCssVariables(defaultCssVariablesResolver(mergeMantineTheme(DEFAULT_THEME, theme)), ":root")
        : undefined,
  };
}
