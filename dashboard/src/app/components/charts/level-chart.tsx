import type { ReactNode } from "react";

import type { Schemas } from "@app/client/types";

import { CHART_COLORS } from "./colors";
import { NothingYet } from "./nothing-yet";
import type { ChartSeries } from "./series";
import { TimeChart } from "./time-chart";
import { knowsAnything } from "./trend";

type PoolSeries = Schemas["PoolSeries"];
type PoolPoint = Schemas["PoolPoint"];

type Props = {
  title: string;
  /** The answer of `/pools/{name}/series`, as it is. */
  series: PoolSeries;
  actions?: ReactNode;
  height?: number;
};

/** The levels of a pool as lines, and the number it should hold. */
export function levelsOf(series: PoolSeries): ChartSeries[] {
  const line = (
    key: string,
    label: string,
    color: string,
    value: (point: PoolPoint) => number | null | undefined,
  ) => ({
    key,
    label,
    color,
    points: series.points.map((point) => ({ t: Date.parse(point.at), y: value(point) ?? null })),
  });
  return [
    line("usable", "Ready to claim", CHART_COLORS.ready, (point) => point.usable_avg),
    line("unready", "Not ready", CHART_COLORS.unready, (point) => point.unready_avg),
    line("claimed", "Claimed", CHART_COLORS.claimed, (point) => point.claimed_avg),
    {
      ...line("minimum", "Should hold", CHART_COLORS.limit, (point) => point.min_available),
      isDashed: true,
    },
  ];
}

/** How full a pool was: ready, not ready and claimed handles, and how many it should hold. */
export function LevelChart({ title, series, actions, height }: Props) {
  const levels = levelsOf(series);
  const measured = levels.filter((one) => one.isDashed !== true);
  return (
    <TimeChart
      title={title}
      series={levels}
      unit="handles"
      kind="line"
      from={Date.parse(series.from)}
      to={Date.parse(series.to)}
      bucketMs={series.bucket_s * 1000}
      actions={actions}
      height={height}
      nothing={knowsAnything(measured) ? undefined : <NothingYet hasSeries />}
    />
  );
}
