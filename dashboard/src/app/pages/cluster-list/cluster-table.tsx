import { Link } from "react-router";

import { paths, to, withQuery } from "@app/Routes";
import type { PageInfo, Row } from "@app/client/types";
import { DataTable, type Column } from "@app/components/data-table";
import { CountLink } from "@app/components/links";
import { LoadMeter } from "@app/components/meter";
import { NotKnown } from "@app/components/not-known";
import { StatusLabel } from "@app/components/status-label";
import { Age } from "@app/components/times";
import type { UrlState } from "@app/hooks/url-state";

type Cluster = Row<"/api/v1/clusters">;

const onCluster = (name: string, state?: string) => withQuery(paths.instances, { cluster: name, state });

/** `18 / 20`, with what is missing of them as a word. */
export function nodesText(nodes: Cluster["nodes"]): string | null {
  const { ready, total, unschedulable } = nodes;
  if (ready === null || ready === undefined || total === null || total === undefined) return null;
  const cordoned = unschedulable !== null && unschedulable !== undefined && unschedulable > 0;
  return `${ready} / ${total}${cordoned ? `, ${unschedulable} cordoned` : ""}`;
}

const COLUMNS: Column<Cluster>[] = [
  {
    title: "Cluster",
    sort: "name",
    modifier: "nowrap",
    cell: (cluster) => (
      <>
        <Link to={to.cluster(cluster.name)}>{cluster.name}</Link>
        <div className="sg-subtle">
          {cluster.openshift_version === null || cluster.openshift_version === undefined
            ? "version unknown"
            : `OpenShift ${cluster.openshift_version}`}
        </div>
      </>
    ),
  },
  {
    title: "Status",
    sort: "status",
    descendingFirst: true,
    modifier: "nowrap",
    cell: (cluster) => (
      <StatusLabel of="cluster" value={cluster.status} hint={cluster.status_reasons.join("; ")} />
    ),
  },
  {
    title: "Nodes ready",
    modifier: "nowrap",
    cell: (cluster) => nodesText(cluster.nodes) ?? <NotKnown />,
  },
  {
    title: "VMs per node",
    sort: "vms_per_node",
    descendingFirst: true,
    isNumeric: true,
    modifier: "nowrap",
    cell: (cluster) =>
      cluster.vms_per_node === null || cluster.vms_per_node === undefined ? (
        <NotKnown />
      ) : (
        cluster.vms_per_node.toFixed(1)
      ),
  },
  {
    title: "CPU",
    sort: "cpu_pct",
    descendingFirst: true,
    cell: (cluster) => <LoadMeter what={`CPU of ${cluster.name}`} percent={cluster.cpu_pct} />,
  },
  {
    title: "Memory",
    sort: "mem_pct",
    descendingFirst: true,
    cell: (cluster) => <LoadMeter what={`Memory of ${cluster.name}`} percent={cluster.mem_pct} />,
  },
  {
    title: "Failing",
    sort: "failing",
    descendingFirst: true,
    isNumeric: true,
    modifier: "nowrap",
    cell: (cluster) => (
      <>
        <CountLink
          count={cluster.instances.failing}
          to={onCluster(cluster.name, "failing")}
          what={`failing instances on ${cluster.name}`}
        />{" "}
        of{" "}
        <CountLink
          count={cluster.instances.total}
          to={onCluster(cluster.name)}
          what={`instances on ${cluster.name}`}
        />
      </>
    ),
  },
  {
    title: "Unknown",
    isNumeric: true,
    modifier: "nowrap",
    cell: (cluster) => (
      <CountLink
        count={cluster.instances.unknown}
        to={onCluster(cluster.name, "unknown")}
        what={`unknown instances on ${cluster.name}`}
      />
    ),
  },
  {
    title: "Read",
    modifier: "nowrap",
    cell: (cluster) => (
      <>
        <StatusLabel of="source" value={cluster.source} isCompact />
        <div className="sg-subtle">
          <Age at={cluster.observed_at} none="never" />
        </div>
      </>
    ),
  },
];

type Props = {
  rows: readonly Cluster[];
  page: PageInfo;
  url: Pick<UrlState, "sort" | "setSort" | "cursor" | "setCursor">;
};

export function ClusterTable({ rows, page, url }: Props) {
  return (
    <DataTable
      label="Clusters"
      columns={COLUMNS}
      rows={rows}
      rowKey={(row) => row.name}
      page={page}
      url={url}
    />
  );
}
