import { ToggleGroup, ToggleGroupItem } from "@patternfly/react-core";

/** Spans of time, and how they are told. */
const SPANS: Readonly<Record<string, string>> = {
  "15m": "the last 15 minutes",
  "1h": "the last hour",
  "6h": "the last 6 hours",
  "24h": "the last 24 hours",
  "7d": "the last 7 days",
  "30d": "the last 30 days",
  "90d": "the last 90 days",
};

type Props = { value: string; options: readonly string[]; onChange: (range: string) => void };

/** Chooses a span of time up to now. */
export function RangeSelect({ value, options, onChange }: Props) {
  return (
    <ToggleGroup isCompact aria-label="Span of time">
      {options.map((range) => (
        <ToggleGroupItem
          key={range}
          text={range}
          aria-label={SPANS[range] ?? range}
          isSelected={range === value}
          onChange={() => {
            onChange(range);
          }}
        />
      ))}
    </ToggleGroup>
  );
}
