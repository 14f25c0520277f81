import { CHART_COLORS, colorOf } from "./colors";
import type { ChartSeries } from "./series";

/** What `/trends` answers. */
export type Trend = {
  metric: string;
  unit: string;
  bucket_s: number;
  from: string;
  to: string;
  series: readonly { key: string; points: readonly { t: string; value?: number | null; n: number }[] }[];
  /** Whether the series `other` sums what is not shown by itself. */
  other: boolean;
};

export const OTHER = "other";

/** The series of a trend as a chart draws them. */
export function seriesOf(trend: Trend, labelOf: (key: string) => string = (key) => key): ChartSeries[] {
  return trend.series.map((one, index) => {
    const isRest = trend.other && one.key === OTHER;
    return {
      key: one.key,
      label: isRest ? "All others" : labelOf(one.key),
      color: isRest ? CHART_COLORS.other : colorOf(index),
      points: one.points.map((point) => ({ t: Date.parse(point.t), y: point.value ?? null })),
    };
  });
}

/** A line that is not measured: a limit, a target. */
export function levelLine(trend: Trend, level: { value: number; label: string }): ChartSeries {
  const times = trend.series[0]?.points.map((point) => Date.parse(point.t)) ?? [];
  return {
    key: "level",
    label: level.label,
    color: CHART_COLORS.limit,
    isDashed: true,
    points: times.map((t) => ({ t, y: level.value })),
  };
}

/** Whether any value of it is known. */
export function knowsAnything(series: readonly ChartSeries[]): boolean {
  return series.some((one) => one.points.some((point) => point.y !== null));
}
