import {
  createRootRoute,
  createRoute,
  createRouter,
  lazyRouteComponent,
  Outlet,
  redirect,
} from "@tanstack/react-router";
import { meQuery } from "@/features/account/queries";
import { DashboardPage } from "@/features/dashboard/DashboardPage";
import { readFilters } from "@/features/dashboard/filters";
import { queryClient } from "@/queries";
import { FailedPage, MissingPage } from "@/ui/states";
import { Shell } from "./Shell";

const text = (value: unknown) => (typeof value === "string" && value ? value : undefined);

const root = createRootRoute({
  component: Outlet,
  errorComponent: FailedPage,
});

const signIn = createRoute({
  getParentRoute: () => root,
  path: "/sign-in",
  validateSearch: (search): { next?: string } => ({ next: text(search.next) }),
  component: lazyRouteComponent(() => import("@/features/account/SignInPage"), "SignInPage"),
});

const signUp = createRoute({
  getParentRoute: () => root,
  path: "/sign-up",
  validateSearch: (search): { invitation?: string } => ({ invitation: text(search.invitation) }),
  component: lazyRouteComponent(() => import("@/features/account/SignUpPage"), "SignUpPage"),
});

/** Every page behind the sign-in; `chat` names the order whose chat lies open beside it. */
const signedIn = createRoute({
  getParentRoute: () => root,
  id: "signed-in",
  validateSearch: (search): { chat?: string } => ({ chat: text(search.chat) }),
  beforeLoad: async ({ location }) => {
    const me = await queryClient.ensureQueryData(meQuery);
    if (!me) throw redirect({ to: "/sign-in", search: location.href === "/" ? {} : { next: location.href } });
  },
  component: Shell,
});

const dashboard = createRoute({
  getParentRoute: () => signedIn,
  path: "/",
  validateSearch: readFilters,
  component: DashboardPage,
});

const newOrder = createRoute({
  getParentRoute: () => signedIn,
  path: "/orders/new",
  validateSearch: (search): { factory?: string } => ({ factory: text(search.factory) }),
  component: lazyRouteComponent(() => import("@/features/orders/NewOrderPage"), "NewOrderPage"),
});

const order = createRoute({
  getParentRoute: () => signedIn,
  path: "/orders/$orderId",
  component: lazyRouteComponent(() => import("@/features/orders/OrderPage"), "OrderPage"),
});

const profile = createRoute({
  getParentRoute: () => signedIn,
  path: "/organisations/$organisationId",
  component: lazyRouteComponent(() => import("@/features/profile/ProfilePage"), "ProfilePage"),
});

const notifications = createRoute({
  getParentRoute: () => signedIn,
  path: "/notifications",
  component: lazyRouteComponent(
    () => import("@/features/notifications/NotificationsPage"),
    "NotificationsPage",
  ),
});

const settings = createRoute({
  getParentRoute: () => signedIn,
  path: "/settings",
  component: lazyRouteComponent(() => import("@/features/settings/SettingsPage"), "SettingsPage"),
});

const settingsIndex = createRoute({
  getParentRoute: () => settings,
  path: "/",
  component: lazyRouteComponent(() => import("@/features/settings/AccountTab"), "AccountTab"),
});

const settingsNotifications = createRoute({
  getParentRoute: () => settings,
  path: "/notifications",
  component: lazyRouteComponent(() => import("@/features/settings/PreferencesTab"), "PreferencesTab"),
});

const settingsTeam = createRoute({
  getParentRoute: () => settings,
  path: "/team",
  component: lazyRouteComponent(() => import("@/features/settings/TeamTab"), "TeamTab"),
});

const settingsWebhooks = createRoute({
  getParentRoute: () => settings,
  path: "/webhooks",
  component: lazyRouteComponent(() => import("@/features/settings/WebhooksTab"), "WebhooksTab"),
});

const help = createRoute({
  getParentRoute: () => signedIn,
  path: "/help",
  component: lazyRouteComponent(() => import("@/features/help/HelpPage"), "HelpPage"),
});

const helpTopic = createRoute({
  getParentRoute: () => signedIn,
  path: "/help/$topic",
  component: lazyRouteComponent(() => import("@/features/help/HelpPage"), "HelpPage"),
});

const support = createRoute({
  getParentRoute: () => signedIn,
  path: "/support",
  validateSearch: (search): { about?: "block"; order?: string } => ({
    about: search.about === "block" ? "block" : undefined,
    order: text(search.order),
  }),
  component: lazyRouteComponent(() => import("@/features/help/SupportPage"), "SupportPage"),
});

const missing = createRoute({
  getParentRoute: () => signedIn,
  path: "$",
  component: MissingPage,
});

export const router = createRouter({
  routeTree: root.addChildren([
    signIn,
    signUp,
    signedIn.addChildren([
      dashboard,
      newOrder,
      order,
      profile,
      notifications,
      settings.addChildren([settingsIndex, settingsNotifications, settingsTeam, settingsWebhooks]),
      help,
      helpTopic,
      support,
      missing,
    ]),
  ]),
  defaultPreload: "intent",
  scrollRestoration: true,
});

declare module "@tanstack/react-router" {
  interface Register {
    router: typeof router;
  }
}
