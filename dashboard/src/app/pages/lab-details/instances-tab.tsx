import { FilterToolbar } from "@app/components/filter-toolbar";
import { useClassFacet } from "@app/pages/incident-list/class-facet";
import { INSTANCE_FACETS, asOption } from "@app/pages/instance-list/instance-filters";
import { useLab } from "@app/queries/labs";

import { LabInstances, useLabInstanceFilters } from "./lab-instances";

/** Every instance of the lab, with all filters. */
export function InstancesTab({ code }: { code: string }) {
  const url = useLabInstanceFilters();
  const classes = useClassFacet(url.values.class);
  const clusters = (useLab(code).data?.data.by_cluster ?? []).map(({ cluster }) => asOption(cluster));
  return (
    <>
      <FilterToolbar
        url={url}
        facets={[...INSTANCE_FACETS, { name: "cluster", title: "Cluster", options: clusters }, classes]}
        search={{ label: "Find by namespace or guid", placeholder: "Begin of namespace or guid" }}
      />
      <LabInstances code={code} url={url} />
    </>
  );
}
