import { createContext, use, useCallback, useEffect, useMemo, useState, type ReactNode } from "react";
import { useSearchParams } from "react-router";

import { ZONE_CHOICES, zoneName, type ZoneChoice } from "@app/time";

type Zone = {
  choice: ZoneChoice;
  /** The IANA name. */
  name: string;
  /** Whether an event says where it takes place. */
  hasEvent: boolean;
  choose: (choice: ZoneChoice) => void;
};

const PARAMETER = "tz";

const ZoneContext = createContext<Zone>({
  choice: "utc",
  name: "UTC",
  hasEvent: false,
  choose: () => undefined,
});

function isChoice(value: string | null): value is ZoneChoice {
  return ZONE_CHOICES.some((choice) => choice === value);
}

/** Keeps the time zone in the address, also when a link inside the dashboard does not name it. */
export function ZoneProvider({ eventZone, children }: { eventZone: string | null; children: ReactNode }) {
  const [params, setParams] = useSearchParams();
  const given = params.get(PARAMETER);
  const usual: ZoneChoice = eventZone === null ? "utc" : "event";
  const [kept, setKept] = useState<ZoneChoice | null>(isChoice(given) ? given : null);
  const choice = isChoice(given) ? given : (kept ?? usual);

  const write = useCallback(
    (next: ZoneChoice) => {
      setParams(
        (before) => {
          const after = new URLSearchParams(before);
          after.set(PARAMETER, next);
          return after;
        },
        { replace: true },
      );
    },
    [setParams],
  );

  // A link was followed that does not name the zone.
  useEffect(() => {
    if (given === null && kept !== null) write(kept);
  }, [given, kept, write]);

  const zone = useMemo<Zone>(
    () => ({
      choice,
      name: zoneName(choice, eventZone),
      hasEvent: eventZone !== null,
      choose: (next) => {
        setKept(next);
        write(next);
      },
    }),
    [choice, eventZone, write],
  );
  return <ZoneContext value={zone}>{children}</ZoneContext>;
}

/** The zone that times are shown in. */
export function useZone(): Zone {
  return use(ZoneContext);
}
