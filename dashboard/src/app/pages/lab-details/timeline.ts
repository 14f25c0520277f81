import type { IncidentRow } from "@app/queries/incidents";
import type { LabSession, Transition } from "@app/queries/labs";

/** Something that happened to a lab. */
export type TimelineEntry = { id: string; at: string } & (
  | { kind: "transition"; transition: Transition }
  | { kind: "incident"; incident: IncidentRow }
  | { kind: "session"; session: LabSession; edge: "begins" | "ends" }
);

/** Kinds of entries, as in the filter. */
export type TimelineKind = TimelineEntry["kind"];

/** What was read so far of a list that comes newest first. */
export type Stream<T> = { rows: readonly T[]; hasMore: boolean };

/** A merged timeline. */
export type Timeline = {
  /** Newest first. */
  entries: TimelineEntry[];
  /** Which streams must be read further before anything earlier can be shown. */
  behind: ("transitions" | "incidents")[];
};

/**
 * Merges what was read of two paged lists and the lab's sessions. An entry is shown only when every list was read back to its time:
 * otherwise what comes with the next page would appear above what the reader has already seen.
 */
export function mergeTimeline(
  transitions: Stream<Transition>,
  incidents: Stream<IncidentRow>,
  sessions: readonly LabSession[],
  now: number,
): Timeline {
  const reach = {
    transitions: readBackTo(transitions, (row) => row.at),
    incidents: readBackTo(incidents, (row) => row.opened_at),
  };
  const floor = Math.max(reach.transitions, reach.incidents);
  const entries: TimelineEntry[] = [
    ...transitions.rows.map((row) => ({
      id: row.id,
      at: row.at,
      kind: "transition" as const,
      transition: row,
    })),
    ...incidents.rows.map((row) => ({
      id: row.id,
      at: row.opened_at,
      kind: "incident" as const,
      incident: row,
    })),
    ...sessions.flatMap(edges),
  ];
  const shown = entries.filter((entry) => {
    const at = Date.parse(entry.at);
    return at >= floor && at <= now;
  });
  shown.sort((a, b) => Date.parse(b.at) - Date.parse(a.at) || a.id.localeCompare(b.id));
  const behind = (["transitions", "incidents"] as const).filter(
    (name) => reach[name] === floor && Number.isFinite(reach[name]),
  );
  return { entries: shown, behind };
}

/** The time back to which a list was read; minus infinity when it was read to its end. */
function readBackTo<T>(stream: Stream<T>, at: (row: T) => string): number {
  const last = stream.rows.at(-1);
  if (!stream.hasMore || last === undefined) return Number.NEGATIVE_INFINITY;
  return Date.parse(at(last));
}

function edges(session: LabSession): TimelineEntry[] {
  const entries: TimelineEntry[] = [];
  if (session.phase === "canceled") return entries;
  if (session.starts_at != null) {
    entries.push({
      id: `${session.id}-begins`,
      at: session.starts_at,
      kind: "session",
      session,
      edge: "begins",
    });
  }
  if (session.ends_at != null) {
    entries.push({ id: `${session.id}-ends`, at: session.ends_at, kind: "session", session, edge: "ends" });
  }
  return entries;
}
