import { Button } from "@mantine/core";
import { useEffect, useRef } from "react";
import { useTranslation } from "react-i18next";

interface EndlessList {
  error: unknown;
  hasNextPage: boolean;
  isFetchingNextPage: boolean;
  fetchNextPage: () => unknown;
}

/** Loads the next page shortly before its place comes into view; a button too, for the keyboard and after an error. */
export function MoreOnScroll({ list }: { list: EndlessList }) {
  const { t } = useTranslation();
  const { hasNextPage, isFetchingNextPage, fetchNextPage, error } = list;
  const end = useRef<HTMLDivElement>(null);

  useEffect(() => {
    const element = end.current;
    if (!element || !hasNextPage || isFetchingNextPage || error) return;
    const observer = new IntersectionObserver(
      ([entry]) => {
        if (entry?.isIntersecting) fetchNextPage();
      },
      { rootMargin: "600px" },
    );
    observer.observe(element);
    return () => observer.disconnect();
  }, [hasNextPage, isFetchingNextPage, fetchNextPage, error]);

  if (!hasNextPage) return null;
  return (
    // No anchor of the scroll position: what comes in its place would move the reader along with it.
    <div ref={end} style={{ padding: "1.5rem", textAlign: "center", overflowAnchor: "none" }}>
      <Button variant="default" loading={isFetchingNextPage} onClick={() => fetchNextPage()}>
        {t("states.more")}
      </Button>
    </div>
  );
}
