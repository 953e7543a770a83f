import type { Status } from "@/api/schema";
import { PIPELINE } from "@/features/orders/pipeline";

export const SORTS = ["deadline", "-deadline", "-updated", "updated", "-value", "value"] as const;
export const DUES = ["overdue", "due_soon", "on_track"] as const;

/** What the list shows; it stands in the address, so that a view can be kept and shared. */
export interface Filters {
  state?: "completed";
  status?: Status;
  due?: (typeof DUES)[number];
  q?: string;
  sort?: (typeof SORTS)[number];
}

const oneOf = <T extends string>(allowed: readonly T[], value: unknown): T | undefined =>
  allowed.find((candidate) => candidate === value);

/** Reads the filters from an address; what it does not know it leaves out. */
export function readFilters(search: Record<string, unknown>): Filters {
  const filters: Filters = {
    state: search.state === "completed" ? "completed" : undefined,
    status: oneOf(PIPELINE, search.status),
    due: oneOf(DUES, search.due),
    q: typeof search.q === "string" && search.q.trim() ? search.q.slice(0, 200) : undefined,
    sort: oneOf(SORTS, search.sort),
  };
  return Object.fromEntries(Object.entries(filters).filter(([, value]) => value !== undefined));
}

/** True for the view that the dashboard opens with. */
export const isDefault = ({ state, status, due, q, sort }: Filters): boolean =>
  !(state || status || due || q || (sort && sort !== "deadline"));
