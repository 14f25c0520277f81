import { Progress, ProgressMeasureLocation, ProgressSize, type ProgressProps } from "@patternfly/react-core";

import { NotKnown } from "./not-known";

type Props = {
  /** What is measured, for who does not see the column. */
  what: string;
  value: number | null | undefined;
  most: number;
  /** Shown at the end. */
  text: string;
  variant?: ProgressProps["variant"];
};

/** How much of something there is, as a bar with its number. */
export function Meter({ what, value, most, text, variant }: Props) {
  if (value === null || value === undefined) return <NotKnown />;
  const share = most <= 0 ? 0 : Math.min(100, (value / most) * 100);
  return (
    <Progress
      aria-label={what}
      className="sg-meter"
      size={ProgressSize.sm}
      measureLocation={ProgressMeasureLocation.outside}
      value={share}
      label={text}
      valueText={text}
      variant={variant}
    />
  );
}

/** The shares at which a cluster is close to its limit, and at it. */
const CLOSE = 70;
const FULL = 80;

/** Load in percent: amber when it comes close to the limit, red at it. */
export function LoadMeter({ what, percent }: { what: string; percent: number | null | undefined }) {
  const p = percent ?? 0;
  const variant = p > FULL ? "danger" : p > CLOSE ? "warning" : undefined;
  return <Meter what={what} value={percent} most={100} text={`${Math.round(p)} %`} variant={variant} />;
}
