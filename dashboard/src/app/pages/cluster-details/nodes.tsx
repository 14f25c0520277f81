import { Label, LabelGroup } from "@patternfly/react-core";

import type { Row } from "@app/client/types";
import { DataTable, type Column } from "@app/components/data-table";
import { Loaded } from "@app/components/loaded";
import { LoadMeter } from "@app/components/meter";
import { StatusLabel } from "@app/components/status-label";
import { Age } from "@app/components/times";
import { useUrlState } from "@app/hooks/url-state";
import { useClusterNodes } from "@app/queries/clusters";

type Node = Row<"/api/v1/clusters/{name}/nodes">;

/** How a node stands, as a cluster's status is told. */
export function nodeStatus(node: Pick<Node, "ready" | "unschedulable" | "pressure">): {
  status: string;
  text: string;
} {
  if (node.ready === null || node.ready === undefined) return { status: "unknown", text: "Unknown" };
  if (!node.ready) return { status: "critical", text: "Not ready" };
  if (node.pressure.length > 0) return { status: "warning", text: "Under pressure" };
  return node.unschedulable ? { status: "warning", text: "Cordoned" } : { status: "healthy", text: "Ready" };
}

const COLUMNS: Column<Node>[] = [
  { title: "Node", sort: "node", cell: (node) => <span className="sg-break">{node.node}</span>, width: 30 },
  {
    title: "Status",
    cell: (node) => {
      const { status, text } = nodeStatus(node);
      return <StatusLabel of="cluster" value={status} text={text} />;
    },
  },
  { title: "Roles", cell: (node) => node.roles.join(", ") },
  {
    title: "CPU",
    sort: "cpu_pct",
    descendingFirst: true,
    cell: (node) => <LoadMeter what={`CPU of ${node.node}`} percent={node.cpu_pct} />,
  },
  {
    title: "Memory",
    sort: "mem_pct",
    descendingFirst: true,
    cell: (node) => <LoadMeter what={`Memory of ${node.node}`} percent={node.mem_pct} />,
  },
  {
    title: "Pressure",
    cell: (node) =>
      node.pressure.length === 0 ? (
        "none"
      ) : (
        <LabelGroup aria-label={`Pressure on ${node.node}`}>
          {node.pressure.map((kind) => (
            <Label key={kind} color="orange" isCompact>
              {kind}
            </Label>
          ))}
        </LabelGroup>
      ),
  },
  { title: "Kubelet", cell: (node) => node.kubelet_version },
  { title: "Measured", cell: (node) => <Age at={node.measured_at} />, modifier: "nowrap" },
];

export function Nodes({ cluster }: { cluster: string }) {
  const url = useUrlState({ sort: "-cpu_pct" });
  const nodes = useClusterNodes(cluster, url.query);
  return (
    <Loaded
      query={nodes}
      rows={12}
      empty={{ title: "No nodes", reason: "No scan has read this cluster's nodes yet." }}
    >
      {({ data, page }) => (
        <DataTable
          label={`Nodes of ${cluster}`}
          columns={COLUMNS}
          rows={data}
          rowKey={(node) => node.node}
          page={page}
          url={url}
        />
      )}
    </Loaded>
  );
}
