import type { IncidentDetail } from "@app/queries/incidents";

type Member = IncidentDetail["members"][number];

/** Each instance once: by the incident that goes on, when it had several. In the order given, those that go on first. */
export function onePerInstance(members: readonly Member[]): Member[] {
  const open = (member: Member) => (member.state === "open" ? 0 : 1);
  const seen = new Set<string>();
  return members
    .toSorted((a, b) => open(a) - open(b))
    .filter(({ instance_id: id }) => {
      if (seen.has(id)) return false;
      seen.add(id);
      return true;
    });
}
