import { Progress, ProgressMeasureLocation, ProgressSize } from "@patternfly/react-core";

import type { Counts } from "@app/client/types";

/** How many of the instances that should run are ready. What is stopped on purpose or on its way out is not missed. */
export function ReadyBar({ counts }: { counts: Counts }) {
  const ready = counts.ready + counts.warning;
  const wanted = counts.total - counts.stopped - counts.terminating;
  if (wanted === 0) return <>None should run</>;
  const words = `${String(ready)} of ${String(wanted)}`;
  return (
    <>
      <span className="sg-nowrap">{words}</span>
      <Progress
        aria-label={`${words} instances ready`}
        size={ProgressSize.sm}
        measureLocation={ProgressMeasureLocation.none}
        value={ready}
        max={wanted}
        valueText={`${words} ready`}
      />
    </>
  );
}
