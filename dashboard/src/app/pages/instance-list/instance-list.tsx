import { FilterToolbar } from "@app/components/filter-toolbar";
import { Loaded } from "@app/components/loaded";
import { PageFrame } from "@app/components/page-frame";
import { useClassFacet } from "@app/pages/incident-list/class-facet";
import { useClusters } from "@app/queries/clusters";
import { useInstances } from "@app/queries/instances";
import { useLabs } from "@app/queries/labs";

import { INSTANCE_FACETS, asOption, useInstanceFilters } from "./instance-filters";
import { InstanceTable } from "./instance-table";

/** All instances: where the counts of other pages lead. */
export default function InstanceList() {
  const url = useInstanceFilters();
  const instances = useInstances(url.query);
  const clusters = useClusters({ limit: 200 });
  const labs = useLabs({ limit: 200, sort: "code" });
  const classes = useClassFacet(url.values.class);
  const facets = [
    ...INSTANCE_FACETS,
    {
      name: "cluster",
      title: "Cluster",
      options: (clusters.data?.data ?? []).map(({ name }) => asOption(name)),
    },
    { name: "lab", title: "Lab", options: (labs.data?.data ?? []).map(({ code }) => asOption(code)) },
    classes,
  ];
  return (
    <PageFrame title="Instances" description="One attendee's environment each: a namespace on a cluster.">
      <FilterToolbar
        url={url}
        facets={facets}
        search={{ label: "Find by namespace or guid", placeholder: "Begin of namespace or guid" }}
      />
      <Loaded
        query={instances}
        rows={12}
        filter={url}
        empty={{
          title: "No instances",
          reason: "No namespace of a lab was found on any cluster that was read.",
        }}
      >
        {({ data, page }) => <InstanceTable label="Instances" rows={data} page={page} url={url} />}
      </Loaded>
    </PageFrame>
  );
}
