import type { Facet } from "@app/components/filter-toolbar";
import { className } from "@app/labels";
import { useActiveClasses } from "@app/queries/knowledge";

/** The filter by failure class: those that something fails with now, and those that are chosen already. */
export function useClassFacet(chosen: readonly string[]): Facet {
  const active = useActiveClasses().data?.data ?? [];
  const options = active.map(({ id, instances }) => ({ value: id, label: className(id), count: instances }));
  const others = chosen.filter((id) => !active.some((one) => one.id === id));
  return {
    name: "class",
    title: "Failure class",
    options: [...options, ...others.map((id) => ({ value: id, label: className(id) }))],
  };
}
