/** What a chart shows, whatever it came from. Times are milliseconds, a value that nobody knows is null. */
export type ChartPoint = { t: number; y: number | null };

export type ChartSeries = {
  key: string;
  /** For people: in the legend, in the table, on hover. */
  label: string;
  /** A colour of PatternFly's charts: it follows the theme. */
  color: string;
  /** A line that is a limit, not a measurement, is dashed. */
  isDashed?: boolean;
  points: readonly ChartPoint[];
};

/** A span of time. */
export type Span = { from: number; to: number };

/** Where nothing at all is known: the buckets in which every measured series has no value, joined. */
export function unknownSpans(series: readonly ChartSeries[], bucketMs: number): Span[] {
  const measured = series.filter((one) => one.isDashed !== true);
  const known = new Set<number>();
  const times = new Set<number>();
  for (const one of measured) {
    for (const point of one.points) {
      times.add(point.t);
      if (point.y !== null) known.add(point.t);
    }
  }
  const spans: Span[] = [];
  for (const t of [...times].sort((a, b) => a - b)) {
    if (known.has(t)) continue;
    const last = spans.at(-1);
    if (last?.to === t) last.to = t + bucketMs;
    else spans.push({ from: t, to: t + bucketMs });
  }
  return spans;
}

/** Points without a neighbour: no line leads to them, so that they need a dot of their own. */
export function loners(points: readonly ChartPoint[]): ChartPoint[] {
  const isKnown = (index: number) => typeof points[index]?.y === "number";
  return points.filter((_, index) => isKnown(index) && !isKnown(index - 1) && !isKnown(index + 1));
}

/** The newest value that is known, and whether the newest of all is. */
export function latest(points: readonly ChartPoint[]): { y: number; isNow: boolean } | null {
  for (let index = points.length - 1; index >= 0; index -= 1) {
    const y = points[index]?.y;
    if (typeof y === "number") return { y, isNow: index >= points.length - 2 };
  }
  return null;
}

/** The greatest value, of one series or, where they are stacked, of their sum. */
export function greatest(series: readonly ChartSeries[], stacked: boolean): number {
  const sums = new Map<number, number>();
  let most = 0;
  for (const one of series) {
    for (const { t, y } of one.points) {
      if (y === null) continue;
      const sum = stacked ? (sums.get(t) ?? 0) + y : y;
      sums.set(t, sum);
      most = Math.max(most, sum);
    }
  }
  return most;
}

/** One row of the table beside the chart: a time, and a value of each series in their order. */
export type ChartRow = { t: number; values: (number | null)[] };

/** The same numbers as rows, the newest first. */
export function rowsOf(series: readonly ChartSeries[]): ChartRow[] {
  const rows = new Map<number, (number | null)[]>();
  series.forEach((one, index) => {
    for (const { t, y } of one.points) {
      const row = rows.get(t) ?? series.map(() => null);
      row[index] = y;
      rows.set(t, row);
    }
  });
  return [...rows].map(([t, values]) => ({ t, values })).sort((a, b) => b.t - a.t);
}
