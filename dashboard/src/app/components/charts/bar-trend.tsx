import type { ReactNode } from "react";

import { CHART_COLORS } from "./colors";
import { NothingYet } from "./nothing-yet";
import type { ChartSeries } from "./series";
import { TimeChart } from "./time-chart";

/** One hour of incidents, as `/overview` tells it. A number that nobody knows is null. */
export type IncidentHour = { start: string; opened?: number | null; resolved?: number | null };

type Props = { title: string; hours: readonly IncidentHour[]; actions?: ReactNode; height?: number };

const HOUR_MS = 3_600_000;

/** Hours as two series. */
export function incidentSeries(hours: readonly IncidentHour[]): ChartSeries[] {
  const points = (value: (hour: IncidentHour) => number | null | undefined) =>
    hours.map((hour) => ({ t: Date.parse(hour.start), y: value(hour) ?? null }));
  return [
    { key: "opened", label: "Opened", color: CHART_COLORS.opened, points: points((hour) => hour.opened) },
    {
      key: "resolved",
      label: "Resolved",
      color: CHART_COLORS.resolved,
      points: points((hour) => hour.resolved),
    },
  ];
}

/** Incidents opened and resolved, hour by hour. */
export function BarTrend({ title, hours, actions, height }: Props) {
  const times = hours.map((hour) => Date.parse(hour.start));
  const isEmpty = hours.length === 0;
  return (
    <TimeChart
      title={title}
      series={incidentSeries(hours)}
      unit="incidents"
      kind="bar"
      from={Math.min(...times)}
      to={Math.max(...times) + HOUR_MS}
      bucketMs={HOUR_MS}
      actions={actions}
      height={height}
      nothing={isEmpty ? <NothingYet hasSeries={false} /> : undefined}
    />
  );
}
