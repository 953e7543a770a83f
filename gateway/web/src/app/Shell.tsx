import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Outlet, useLocation, useNavigate } from "@tanstack/react-router";
import { lazy, Suspense, useEffect, useState } from "react";
import { useTranslation } from "react-i18next";
import { AccountProvider, meQuery } from "@/features/account/queries";
import { loadDialogs } from "@/features/orders/OrderActions";
import { Header } from "./Header";
import { LiveUpdates, useLive } from "./LiveUpdates";
import classes from "./Shell.module.css";

const loadChat = () => import("@/features/chat/ChatDrawer");
const ChatDrawer = lazy(loadChat);
// Fetched once the page has come to rest, so that they open at once, and also when the line has broken.
const SOON = 3000;
const route = getRouteApi("/signed-in");

/** What surrounds every page of a signed-in person. */
export function Shell() {
  const { data: me } = useQuery(meQuery);
  const { chat } = route.useSearch();
  const { t } = useTranslation();

  useEffect(() => {
    const timer = setTimeout(() => {
      // What does not come now, as without a line, is asked for again when it is wanted.
      for (const load of [loadChat, loadDialogs]) load().catch(() => {});
    }, SOON);
    return () => clearTimeout(timer);
  }, []);

  if (!me) return <ToSignIn />;
  return (
    <AccountProvider value={me} key={me.user.id}>
      <LiveUpdates>
        <a href="#main" className={classes.skip}>
          {t("nav.skip")}
        </a>
        <Header />
        <ConnectionNotice />
        <main id="main" tabIndex={-1} className={classes.main}>
          <Outlet />
        </main>
        <Suspense>{chat && <ChatDrawer orderId={chat} key={chat} />}</Suspense>
      </LiveUpdates>
    </AccountProvider>
  );
}

/** Leads to the sign-in once; the address to come back to is that of the page one was on, not of the way. */
function ToSignIn() {
  const navigate = useNavigate();
  const { href } = useLocation();
  const [next] = useState(href);
  useEffect(() => {
    void navigate({ to: "/sign-in", search: { next } });
  }, [navigate, next]);
  return null;
}

function ConnectionNotice() {
  const { t } = useTranslation();
  const state = useLive();
  return (
    <div role="status" className={classes.notice} data-shown={state === "lost" || undefined}>
      {state === "lost" && t("live.lost")}
    </div>
  );
}
