import type { IncidentDetail } from "@app/queries/incidents";

type IncidentRow = IncidentDetail["children"][number];

/** Something that happened to an incident. */
export type HistoryEntry = { at: string } & (
  | { kind: "began" | "confirmed" }
  | { kind: "resolved"; resolution: string | null }
  | { kind: "class"; from: string | null; to: string | null }
  | { kind: "covers" | "covered_resolved"; incidents: IncidentRow[] }
);

/** The story of an incident, newest first. What happened to what it covers is told once a minute, not once an instance. */
export function historyOf(incident: IncidentDetail): HistoryEntry[] {
  const entries: HistoryEntry[] = [
    { kind: "began", at: incident.onset_at },
    { kind: "confirmed", at: incident.opened_at },
    ...incident.class_history.slice(1).map((entry, i) => ({
      kind: "class" as const,
      at: entry.since,
      from: incident.class_history[i]?.class ?? null,
      to: entry.class,
    })),
    ...byMinute(incident.children, (child) => child.opened_at).map((group) => ({
      kind: "covers" as const,
      ...group,
    })),
    ...byMinute(incident.children, (child) => child.resolved_at).map((group) => ({
      kind: "covered_resolved" as const,
      ...group,
    })),
  ];
  if (incident.resolved_at != null) {
    entries.push({ kind: "resolved", at: incident.resolved_at, resolution: incident.resolution ?? null });
  }
  // Of equal times what was pushed later happened later.
  return entries
    .map((entry, i) => ({ entry, i }))
    .sort((a, b) => Date.parse(b.entry.at) - Date.parse(a.entry.at) || b.i - a.i)
    .map(({ entry }) => entry);
}

function byMinute(
  rows: readonly IncidentRow[],
  at: (row: IncidentRow) => string | null | undefined,
): { at: string; incidents: IncidentRow[] }[] {
  const minutes = new Map<string, { at: string; incidents: IncidentRow[] }>();
  for (const row of rows) {
    const time = at(row);
    if (time == null) continue;
    const minute = time.slice(0, 16);
    const group = minutes.get(minute);
    if (group === undefined) {
      minutes.set(minute, { at: time, incidents: [row] });
    } else {
      group.incidents.push(row);
      if (time > group.at) group.at = time;
    }
  }
  return [...minutes.values()];
}
