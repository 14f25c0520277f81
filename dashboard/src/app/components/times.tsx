import { Tooltip } from "@patternfly/react-core";

import { useZone } from "@app/hooks/zone";
import { duration, fullTime, relative, shortTime, useNow } from "@app/time";

import { NotKnown } from "./not-known";

function Both({ at, shown }: { at: string; shown: string }) {
  const zone = useZone();
  const utc = fullTime(at, "UTC");
  const local = zone.name === "UTC" ? null : fullTime(at, zone.name);
  return (
    <Tooltip
      content={
        <>
          {local !== null && <div>{local}</div>}
          <div>{utc}</div>
        </>
      }
    >
      {/* eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex */}
      <time dateTime={at} tabIndex={0}>
        {shown}
      </time>
    </Tooltip>
  );
}

/** A time in the chosen zone; the whole of it, and UTC, on hover and focus. */
export function Timestamp({ at, full = false }: { at: string | null | undefined; full?: boolean }) {
  const zone = useZone();
  const now = useNow();
  if (at === null || at === undefined) return <NotKnown />;
  return <Both at={at} shown={full ? fullTime(at, zone.name) : shortTime(at, zone.name, now)} />;
}

/** How long ago (or ahead) a time is; it ticks. */
export function Age({ at, none }: { at: string | null | undefined; none?: string }) {
  const now = useNow();
  if (at === null || at === undefined) return none === undefined ? <NotKnown /> : <>{none}</>;
  return <Both at={at} shown={relative(at, now)} />;
}

/** A length of time; unknown when there is none. */
export function Duration({ seconds }: { seconds: number | null | undefined }) {
  if (seconds === null || seconds === undefined) return <NotKnown />;
  return <>{duration(seconds)}</>;
}
