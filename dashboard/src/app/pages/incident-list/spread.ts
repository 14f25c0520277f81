import type { IncidentGroup } from "@app/queries/incidents";

/** How far something reaches: where to look first. */
export type Spread = "single" | "one_lab" | "one_cluster" | "spreading" | "systemic";

/** A class on so many clusters is the platform's problem. The same figure opens an incident over the fleet. */
const PLATFORM_CLUSTERS = 3;

/** How far a group of incidents reaches. */
export function spreadOf(group: Pick<IncidentGroup, "instances" | "clusters" | "labs">): Spread {
  if (group.instances === 1) return "single";
  if (group.clusters.length >= PLATFORM_CLUSTERS && group.labs.length > 1) return "systemic";
  if (group.labs.length <= 1 && group.instances > 0) return "one_lab";
  if (group.clusters.length <= 1) return "one_cluster";
  return "spreading";
}

/** What a spread is called, and what it suggests. */
export const SPREADS: Readonly<Record<Spread, { title: string; hint: string }>> = {
  single: { title: "Single", hint: "One instance alone." },
  one_lab: { title: "Concentrated", hint: "One lab: look at the lab's definition first." },
  one_cluster: { title: "Concentrated", hint: "One cluster: look at the cluster first." },
  spreading: {
    title: "Spreading",
    hint: "Several labs on two clusters: it may become the platform's problem.",
  },
  systemic: {
    title: "Systemic",
    hint: "Several labs on three or more clusters: look at the platform first.",
  },
};
