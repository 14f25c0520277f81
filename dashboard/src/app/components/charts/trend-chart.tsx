import type { ReactNode } from "react";

import { NothingYet } from "./nothing-yet";
import { TimeChart } from "./time-chart";
import { knowsAnything, levelLine, seriesOf, type Trend } from "./trend";

type Props = {
  title: string;
  /** The answer of `/trends`, as it is. */
  trend: Trend;
  /** Bars for counts that add up, such as failing instances by class; lines for the rest. */
  kind?: "line" | "bar";
  /** How a series is named for people. */
  labelOf?: (key: string) => string;
  /** A limit or a target to compare with. */
  level?: { value: number; label: string };
  actions?: ReactNode;
  height?: number;
};

/** A trend: failing instances by class, load of clusters, time to ready. */
export function TrendChart({ title, trend, kind = "line", labelOf, level, actions, height }: Props) {
  const measured = seriesOf(trend, labelOf);
  const series = level === undefined || kind === "bar" ? measured : [...measured, levelLine(trend, level)];
  return (
    <TimeChart
      title={title}
      series={series}
      unit={trend.unit}
      kind={kind}
      from={Date.parse(trend.from)}
      to={Date.parse(trend.to)}
      bucketMs={trend.bucket_s * 1000}
      actions={actions}
      height={height}
      nothing={knowsAnything(measured) ? undefined : <NothingYet hasSeries={measured.length > 0} />}
    />
  );
}
