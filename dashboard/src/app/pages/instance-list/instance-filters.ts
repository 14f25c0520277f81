import { STAGE_OPTIONS, wordsOf } from "@app/labels";
import { useUrlState } from "@app/hooks/url-state";
import type { Facet } from "@app/components/filter-toolbar";

const KINDS = [
  { value: "vm", label: "Virtual machines" },
  { value: "container", label: "Containers" },
  { value: "container-vm", label: "Containers and virtual machines" },
  { value: "model", label: "Served models" },
  { value: "showroom-tenant", label: "Instructions of another lab" },
  { value: "nested-cluster", label: "Cluster in the cluster" },
  { value: "unknown", label: "Unknown" },
];

/** What kind of lab an instance is, in words. */
export function kindName(kind: string): string {
  return KINDS.find(({ value }) => value === kind)?.label ?? kind;
}

const MANY = ["lab", "cluster", "state", "stage", "class", "kind"] as const;

/** Filters and order of a list of instances, in the address. */
export function useInstanceFilters() {
  return useUrlState({ many: MANY, one: ["q"], sort: "namespace" });
}

/** A name as an option of a filter. */
export const asOption = (name: string) => ({ value: name, label: name });

/** What instances can be filtered by, apart from what they belong to. */
export const INSTANCE_FACETS: readonly Facet[] = [
  { name: "state", title: "State", options: wordsOf("state") },
  { name: "stage", title: "First trouble at", options: STAGE_OPTIONS },
  { name: "kind", title: "Kind", options: KINDS },
];
