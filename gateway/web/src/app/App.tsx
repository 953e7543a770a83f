import { MantineProvider, mergeThemeOverrides } from "@mantine/core";
import { IconChevronDown } from "@tabler/icons-react";
import { QueryClientProvider } from "@tanstack/react-query";
import { RouterProvider } from "@tanstack/react-router";
import { lazy, Suspense } from "react";
import { queryClient } from "@/queries";
import { router } from "./router";
import { theme } from "./theme";

// Not in theme.ts, which the build reads too: it has no place for elements.
const looks = mergeThemeOverrides(theme, {
  components: {
    NativeSelect: { defaultProps: { rightSection: <IconChevronDown size={15} stroke={1.75} /> } },
  },
});

// Has nothing to say before the page is there; what is shown earlier waits for it.
const Notifications = lazy(() => import("./Toasts"));

export function App() {
  return (
    <MantineProvider
      theme={looks}
      defaultColorScheme="auto"
      // Both would be inline styles; build/theme-variables.ts writes the variables into the style sheet.
      withCssVariables={false}
      withGlobalClasses={false}
    >
      <QueryClientProvider client={queryClient}>
        <Suspense>
          <Notifications />
        </Suspense>
        <RouterProvider router={router} />
      </QueryClientProvider>
    </MantineProvider>
  );
}
