import { Link } from "react-router";

import { to } from "@app/Routes";
import type { Row } from "@app/client/types";
import { DataTable, type Column } from "@app/components/data-table";
import { FilterToolbar } from "@app/components/filter-toolbar";
import { LabLink } from "@app/components/links";
import { Loaded } from "@app/components/loaded";
import { StatusLabel } from "@app/components/status-label";
import { Age } from "@app/components/times";
import { useUrlState } from "@app/hooks/url-state";
import { className, stageName, STAGE_OPTIONS, wordsOf } from "@app/labels";
import { useClusterInstances } from "@app/queries/clusters";

type Instance = Row<"/api/v1/instances">;

const COLUMNS: Column<Instance>[] = [
  {
    title: "Namespace",
    sort: "namespace",
    width: 30,
    cell: (instance) => (
      <Link className="sg-break" to={to.instance(instance.id)}>
        {instance.namespace}
      </Link>
    ),
  },
  {
    title: "State",
    cell: (instance) => <StatusLabel of="state" value={instance.state} />,
    modifier: "nowrap",
  },
  { title: "Lab", cell: (instance) => <LabLink code={instance.lab} /> },
  {
    title: "Fails at",
    cell: (instance) =>
      instance.failing_stage === null || instance.failing_stage === undefined ? (
        ""
      ) : (
        <>
          {stageName(instance.failing_stage)}
          <div className="sg-subtle">{className(instance.class)}</div>
        </>
      ),
  },
  {
    title: "Since",
    sort: "onset_at",
    modifier: "nowrap",
    cell: (instance) => <Age at={instance.onset_at} none="" />,
  },
  {
    title: "Evaluated",
    modifier: "nowrap",
    cell: (instance) => <Age at={instance.last_evaluated_at} none="never" />,
  },
];

/** The lab namespaces of a cluster; those that fail when nobody chose others. */
export function Namespaces({ cluster }: { cluster: string }) {
  const url = useUrlState({ many: ["state", "stage"], one: ["q"], sort: "onset_at" });
  const isUsual = !url.isFiltered;
  const query = isUsual ? { ...url.query, state: ["failing", "warning"] } : url.query;
  const instances = useClusterInstances(cluster, query);
  return (
    <>
      <FilterToolbar
        url={url}
        search={{ label: "Search namespaces and guids", placeholder: "Namespace or guid" }}
        facets={[
          { name: "state", title: "State", options: wordsOf("state") },
          { name: "stage", title: "Stage", options: STAGE_OPTIONS },
        ]}
      >
        {isUsual && <span className="sg-subtle">Failing and warning only; choose states to see others</span>}
      </FilterToolbar>
      <Loaded
        query={instances}
        rows={12}
        filter={url}
        empty={{
          title: "None fails",
          reason: "No lab namespace on this cluster is known to fail or to warn.",
        }}
      >
        {({ data, page }) => (
          <DataTable
            label={`Namespaces on ${cluster}`}
            columns={COLUMNS}
            rows={data}
            rowKey={(instance) => instance.id}
            page={page}
            url={url}
          />
        )}
      </Loaded>
    </>
  );
}
