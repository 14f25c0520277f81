import { Button, Content, Flex, FlexItem, Skeleton } from "@patternfly/react-core";
import ChartLineIcon from "@patternfly/react-icons/dist/esm/icons/chart-line-icon";
import TableIcon from "@patternfly/react-icons/dist/esm/icons/table-icon";
import { lazy, Suspense, useState, type ReactNode } from "react";

import { useZone } from "@app/hooks/zone";
import { duration, shortTime, useNow } from "@app/time";

import { Panel } from "../panel";
import { ChartLegend } from "./chart-legend";
import { ChartTable } from "./chart-table";
import { describe } from "./describe";
import { unknownSpans, type ChartSeries } from "./series";
import { unitOf } from "./units";
import { useWidth } from "./use-width";

const Plot = lazy(async () => ({ default: (await import("./plot")).Plot }));

const HEIGHT = 240;

export type TimeChartProps = {
  title: string;
  series: readonly ChartSeries[];
  /** As the API names it. */
  unit: string;
  /** Bars are stacked: a series is a part of the whole. */
  kind: "line" | "bar";
  from: number;
  to: number;
  bucketMs: number;
  /** Beside the switch to the table: the span of time. */
  actions?: ReactNode;
  /** Instead of the chart, when there is nothing to draw. */
  nothing?: ReactNode;
  height?: number;
};

/** Numbers over time: a chart with its legend, and the same as a table. */
export function TimeChart({ title, actions, nothing, ...shown }: TimeChartProps) {
  const [isTable, setTable] = useState(false);
  return (
    <Panel
      title={title}
      isFullHeight
      actions={
        <Flex columnGap={{ default: "columnGapMd" }} alignItems={{ default: "alignItemsCenter" }}>
          {actions !== undefined && <FlexItem>{actions}</FlexItem>}
          {nothing === undefined && (
            <Button
              variant="link"
              isInline
              icon={isTable ? <ChartLineIcon /> : <TableIcon />}
              onClick={() => {
                setTable(!isTable);
              }}
            >
              {isTable ? "View as chart" : "View as table"}
            </Button>
          )}
        </Flex>
      }
    >
      {nothing ?? <Shown title={title} isTable={isTable} {...shown} />}
    </Panel>
  );
}

type ShownProps = Omit<TimeChartProps, "actions" | "nothing"> & { isTable: boolean };

function Shown({ title, isTable, height = HEIGHT, ...shown }: ShownProps) {
  const zone = useZone();
  const now = useNow();
  const [ref, width] = useWidth();
  const unit = unitOf(shown.unit);
  const timeText = (t: number) => shortTime(new Date(t).toISOString(), zone.name, now);
  const hasUnknown = unknownSpans(shown.series, shown.bucketMs).length > 0;
  if (isTable) return <ChartTable label={title} series={shown.series} unit={unit} timeText={timeText} />;
  const room = <Skeleton height={`${height}px`} screenreaderText="Loading the chart" />;
  return (
    <>
      <Content component="small">
        {unit.name}, every {duration(shown.bucketMs / 1000)}, times in {zone.name}
      </Content>
      <div ref={ref}>
        {width === null ? (
          room
        ) : (
          <Suspense fallback={room}>
            <Plot
              {...shown}
              title={title}
              description={describe({ ...shown, unit }, timeText)}
              unit={unit}
              zone={zone.name}
              width={width}
              height={height}
              timeText={timeText}
            />
          </Suspense>
        )}
      </div>
      <ChartLegend series={shown.series} unit={unit} kind={shown.kind} hasUnknown={hasUnknown} />
    </>
  );
}
