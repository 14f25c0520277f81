/** Spans that a list of incidents can be cut to. */
export const SPANS = [
  { value: "1h", label: "Last hour" },
  { value: "6h", label: "Last 6 hours" },
  { value: "24h", label: "Last 24 hours" },
  { value: "7d", label: "Last 7 days" },
];

const HOURS: Readonly<Record<string, number>> = { "1h": 1, "6h": 6, "24h": 24, "7d": 168 };

/** The time a span began, to the minute: the same question within a minute is asked once. Undefined for no known span. */
export function sinceOf(span: string | undefined, now: number): string | undefined {
  const hours = span === undefined ? undefined : HOURS[span];
  if (hours === undefined) return undefined;
  const minute = Math.floor(now / 60_000) * 60_000;
  return new Date(minute - hours * 3_600_000).toISOString();
}
