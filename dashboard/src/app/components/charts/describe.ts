import { latest, unknownSpans, type ChartSeries } from "./series";
import type { Unit } from "./units";

type Shown = { series: readonly ChartSeries[]; unit: Unit; from: number; to: number; bucketMs: number };

/** A chart in words: its span, the newest value of each series, and for how long nothing is known. */
export function describe(
  { series, unit, from, to, bucketMs }: Shown,
  timeText: (t: number) => string,
): string {
  const values = series.map((one) => {
    const last = latest(one.points);
    return `${one.label}: ${last === null ? "unknown" : unit.format(last.y)}`;
  });
  const spans = unknownSpans(series, bucketMs);
  const gaps = spans.map((span) => `${timeText(span.from)} to ${timeText(Math.min(span.to, to))}`);
  return [
    `From ${timeText(from)} to ${timeText(to)}.`,
    `Newest values: ${values.length === 0 ? "none" : values.join(", ")}.`,
    gaps.length === 0
      ? ""
      : `Nothing is known for ${gaps.slice(0, 3).join("; ")}${gaps.length > 3 ? " and more" : ""}.`,
  ]
    .filter((sentence) => sentence !== "")
    .join(" ");
}
