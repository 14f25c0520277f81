import { FilterToolbar } from "@app/components/filter-toolbar";
import { Loaded } from "@app/components/loaded";
import { PageFrame } from "@app/components/page-frame";
import { useUrlState } from "@app/hooks/url-state";
import { wordsOf } from "@app/labels";
import { useClusters } from "@app/queries/clusters";

import { ClusterTable } from "./cluster-table";

export default function ClusterList() {
  const url = useUrlState({ many: ["status"], one: ["q"], sort: "-failing" });
  const clusters = useClusters(url.query);
  return (
    <PageFrame
      title="Clusters"
      description="Where labs run: how close each cluster is to a limit, and what fails on it."
    >
      <FilterToolbar
        url={url}
        search={{ label: "Search clusters by name", placeholder: "Name" }}
        facets={[{ name: "status", title: "Status", options: wordsOf("cluster") }]}
      />
      <Loaded
        query={clusters}
        rows={10}
        filter={url}
        empty={{ title: "No clusters", reason: "No cluster is configured to be watched." }}
      >
        {({ data, page }) => <ClusterTable rows={data} page={page} url={url} />}
      </Loaded>
    </PageFrame>
  );
}
