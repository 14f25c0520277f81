import "@patternfly/patternfly/patternfly-charts.css";

import {
  Chart,
  ChartArea,
  ChartAxis,
  ChartBar,
  ChartGroup,
  ChartLine,
  ChartScatter,
  ChartStack,
  ChartTooltip,
  ChartVoronoiContainer,
} from "@patternfly/react-charts/victory";

import { CHART_COLORS } from "./colors";
import { greatest, loners, rowsOf, unknownSpans, type ChartPoint, type ChartSeries } from "./series";
import { timeTicks } from "./time-ticks";
import { valueTicks, type Unit } from "./units";

export type PlotProps = {
  title: string;
  /** What the chart shows, in a sentence or two, for who cannot see it. */
  description: string;
  series: readonly ChartSeries[];
  unit: Unit;
  kind: "line" | "bar";
  from: number;
  to: number;
  bucketMs: number;
  zone: string;
  width: number;
  height: number;
  /** A time, as it is shown on hover. */
  timeText: (t: number) => string;
};

const PADDING = { top: 12, right: 16, bottom: 32 };
const TICK_WIDTH = 76;
const LETTER_WIDTH = 7.5;
const WIDEST_BAR = 22;
const HITS = "hits";

/** Draws. Loaded when the first chart is shown: what it stands on is larger than the rest of a page. */
export function Plot(props: PlotProps) {
  const { series, unit, kind, bucketMs, from, zone, width, height } = props;
  const end = Math.max(props.to, ...series.map((one) => (one.points.at(-1)?.t ?? 0) + bucketMs));
  const ticks = valueTicks(greatest(series, kind === "bar"), unit);
  const top = ticks.at(-1) ?? 1;
  const left = 20 + Math.max(...ticks.map((tick) => unit.format(tick).length)) * LETTER_WIDTH;
  const inner = width - left - PADDING.right;
  const times = timeTicks(from, end, zone, Math.floor(inner / TICK_WIDTH));
  const spans = unknownSpans(series, bucketMs);
  const labels = new Map(times.map((tick) => [tick.t, tick.label]));
  const middle = (point: ChartPoint) => ({ x: point.t + bucketMs / 2, y: point.y });
  const hits = rowsOf(series).map(({ t, values }) => ({
    x: t + bucketMs / 2,
    y: top / 2,
    text: [
      props.timeText(t),
      ...series.map((one, index) => {
        const value = values[index];
        return `${one.label}: ${typeof value === "number" ? unit.format(value) : "unknown"}`;
      }),
    ].join("\n"),
  }));
  const others = [
    ...spans.map((span) => `unknown-${span.from}`),
    ...series.flatMap((one) => [one.key, `${one.key}-alone`]),
  ];

  return (
    <Chart
      name="chart"
      ariaTitle={props.title}
      ariaDesc={props.description}
      width={width}
      height={height}
      padding={{ ...PADDING, left }}
      domain={{ x: [from, end], y: [0, top] }}
      domainPadding={0}
      containerComponent={
        // One hit area a bucket: the tooltip tells of all series at that time, also that nothing is known.
        <ChartVoronoiContainer
          voronoiDimension="x"
          voronoiBlacklist={others}
          labels={({ datum }: { datum: { text?: string } }) => datum.text ?? ""}
          labelComponent={<ChartTooltip constrainToVisibleArea pointerLength={0} />}
          responsive={false}
        />
      }
    >
      {spans.map((span) => (
        <ChartArea
          key={span.from}
          name={`unknown-${span.from}`}
          data={[
            { x: Math.max(span.from, from), y: top },
            { x: Math.min(span.to, end), y: top },
          ]}
          style={{ data: { fill: CHART_COLORS.unknown, fillOpacity: 0.25, stroke: "none" } }}
        />
      ))}
      <ChartAxis tickValues={times.map((tick) => tick.t)} tickFormat={(t: number) => labels.get(t) ?? ""} />
      <ChartAxis
        dependentAxis
        showGrid
        tickValues={ticks}
        tickFormat={(value: number) => unit.format(value)}
      />
      {kind === "bar" ? (
        <ChartStack>
          {series.map((one) => (
            <ChartBar
              key={one.key}
              name={one.key}
              data={one.points.map(middle)}
              barWidth={Math.max(1, Math.min(WIDEST_BAR, (inner * bucketMs * 0.75) / (end - from)))}
              style={{ data: { fill: one.color } }}
            />
          ))}
        </ChartStack>
      ) : (
        <ChartGroup>
          {series.map((one) => (
            <ChartLine
              key={one.key}
              name={one.key}
              data={one.points.map(middle)}
              interpolation={one.isDashed === true ? "stepAfter" : "monotoneX"}
              style={{
                data: {
                  stroke: one.color,
                  strokeWidth: 2,
                  ...(one.isDashed === true && { strokeDasharray: "6 4" }),
                },
              }}
            />
          ))}
        </ChartGroup>
      )}
      {kind === "line" &&
        series.map((one) => (
          <ChartScatter
            key={`${one.key}-alone`}
            name={`${one.key}-alone`}
            data={loners(one.points).map(middle)}
            size={3}
            style={{ data: { fill: one.color } }}
          />
        ))}
      <ChartScatter name={HITS} data={hits} size={0} style={{ data: { opacity: 0 } }} />
    </Chart>
  );
}
