import { createTheme, type MantineColorsTuple } from "@mantine/core";

/** The water of the mill race. */
const river: MantineColorsTuple = [
  "#eaf5f3",
  "#d5e8e5",
  "#a8d1cb",
  "#77b8af",
  "#4fa298",
  "#2f8c82",
  "#1b756c",
  "#0f5b55",
  "#0b4843",
  "#063632",
];

/** Overdue, unread, refused: used for nothing else. */
const signal: MantineColorsTuple = [
  "#fdeeec",
  "#f9d9d5",
  "#f1b0a9",
  "#e98479",
  "#e15f51",
  "#dc4838",
  "#c93526",
  "#b32a1d",
  "#98231a",
  "#7d1c15",
];

const brass: MantineColorsTuple = [
  "#fbf4e4",
  "#f4e6c6",
  "#ead094",
  "#dfb85f",
  "#d5a43a",
  "#b98519",
  "#99690d",
  "#7d540a",
  "#634209",
  "#4b3207",
];

const dark: MantineColorsTuple = [
  "#dbe3e1",
  "#b9c5c2",
  "#93a29e",
  "#6d7d79",
  "#3c4a47",
  "#2c3836",
  "#202a28",
  "#182120",
  "#131b1a",
  "#0f1615",
];

const FONT =
  '"Geist Variable", "PingFang SC", "Hiragino Sans GB", "Microsoft YaHei", "Noto Sans CJK SC", "Noto Sans SC", system-ui, sans-serif';

export const theme = createTheme({
  fontFamily: FONT,
  headings: { fontFamily: FONT, fontWeight: "600" },
  colors: { river, signal, brass, dark },
  primaryColor: "river",
  primaryShade: { light: 7, dark: 6 },
  black: "#15211f",
  defaultRadius: "md",
  cursorType: "pointer",
  respectReducedMotion: true,
  fontSizes: { xs: "0.75rem", sm: "0.8125rem", md: "0.9375rem", lg: "1.0625rem", xl: "1.25rem" },
  components: {
    // Scroll is locked by our style sheet (global.css); the library would insert an inline style.
    Modal: {
      defaultProps: {
        lockScroll: false,
        centered: true,
        radius: "lg",
        overlayProps: { backgroundOpacity: 0.4 },
      },
    },
    Drawer: { defaultProps: { lockScroll: false } },
  },
});
