import { MantineProvider } from "@mantine/core";
import { Notifications } from "@mantine/notifications";
import { QueryClientProvider } from "@tanstack/react-query";
import { RouterProvider } from "@tanstack/react-router";
import { queryClient } from "@/queries";
import { router } from "./router";
import { theme } from "./theme";

export function App() {
  return (
    <MantineProvider
      theme={theme}
      defaultColorScheme="auto"
      // Both would be inline styles; build/theme-variables.ts writes the variables into the style sheet.
      withCssVariables={false}
      withGlobalClasses={false}
    >
      <QueryClientProvider client={queryClient}>
        <Notifications position="bottom-left" limit={3} autoClose={5000} />
        <RouterProvider router={router} />
      </QueryClientProvider>
    </MantineProvider>
  );
}
