import type { Status } from "@/api/schema";

export const PIPELINE = [
  "confirmed",
  "in_production",
  "quality_check",
  "shipped",
  "delivered",
  "completed",
] as const satisfies readonly Status[];

export const stepOf = (status: Status): number => PIPELINE.indexOf(status);
