import { List, ListItem, ListVariant } from "@patternfly/react-core";

import { CHART_COLORS } from "./colors";
import { latest, type ChartSeries } from "./series";
import type { Unit } from "./units";

type Props = { series: readonly ChartSeries[]; unit: Unit; kind: "line" | "bar"; hasUnknown: boolean };

/** What the colours of a chart mean, and the newest value of each line. */
export function ChartLegend({ series, unit, kind, hasUnknown }: Props) {
  return (
    <List isPlain variant={ListVariant.inline} aria-label="Legend" className="sg-chart-legend">
      {series.map((one) => {
        const last = kind === "line" ? latest(one.points) : null;
        return (
          <ListItem key={one.key}>
            <Swatch color={one.color} isLine={kind === "line"} isDashed={one.isDashed === true} /> {one.label}
            {last?.isNow === true && <strong> {unit.format(last.y)}</strong>}
          </ListItem>
        );
      })}
      {hasUnknown && (
        <ListItem>
          <Swatch color={CHART_COLORS.unknown} isLine={false} isDashed={false} opacity={0.4} /> Unknown
        </ListItem>
      )}
    </List>
  );
}

function Swatch(props: { color: string; isLine: boolean; isDashed: boolean; opacity?: number }) {
  return (
    <svg width="16" height="10" aria-hidden="true" focusable="false">
      {props.isLine ? (
        <line
          x1="0"
          x2="16"
          y1="5"
          y2="5"
          strokeWidth="3"
          strokeDasharray={props.isDashed ? "5 3" : undefined}
          style={{ stroke: props.color }}
        />
      ) : (
        <rect width="12" height="10" x="2" rx="2" style={{ fill: props.color, opacity: props.opacity }} />
      )}
    </svg>
  );
}
