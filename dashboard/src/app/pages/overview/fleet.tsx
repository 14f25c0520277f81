import type { UseQueryResult } from "@tanstack/react-query";
import { Link } from "react-router";

import { paths, to, withQuery } from "@app/Routes";
import type { Schemas } from "@app/client/types";
import { DataTable, type Column } from "@app/components/data-table";
import { CountLink } from "@app/components/links";
import { Loaded } from "@app/components/loaded";
import { NotKnown } from "@app/components/not-known";
import { Panel } from "@app/components/panel";
import { StatusLabel } from "@app/components/status-label";
import type { OverviewAnswer } from "@app/queries/overview";

type Cluster = Schemas["ClusterSummary"];

/** `44 / 54 %`; null when neither is known. */
export function loadText({
  cpu_pct: cpu,
  mem_pct: memory,
}: Pick<Cluster, "cpu_pct" | "mem_pct">): string | null {
  const rounded = (value: number | null | undefined) =>
    value === null || value === undefined ? "?" : String(Math.round(value));
  const text = `${rounded(cpu)} / ${rounded(memory)} %`;
  return text === "? / ? %" ? null : text;
}

const COLUMNS: Column<Cluster>[] = [
  {
    title: "Cluster",
    cell: (cluster) => <Link to={to.cluster(cluster.name)}>{cluster.name}</Link>,
    modifier: "nowrap",
  },
  {
    title: "Status",
    cell: (cluster) => (
      <StatusLabel of="cluster" value={cluster.status} hint={cluster.status_reasons.join("; ")} isCompact />
    ),
  },
  {
    title: "CPU / mem",
    cell: (cluster) => loadText(cluster) ?? <NotKnown />,
    isNumeric: true,
    modifier: "nowrap",
  },
  {
    title: "Failing",
    cell: (cluster) => (
      <CountLink
        count={cluster.instances.failing}
        to={withQuery(paths.instances, { cluster: cluster.name, state: "failing" })}
        what={`failing instances on ${cluster.name}`}
      />
    ),
    isNumeric: true,
  },
];

const RANK: Record<string, number> = { critical: 0, unknown: 1, warning: 2, healthy: 3 };

/** Clusters at a glance, the worst first. */
export function Fleet({ overview }: { overview: UseQueryResult<OverviewAnswer> }) {
  return (
    <Panel title="Clusters" actions={<Link to={paths.clusters}>All clusters</Link>}>
      <Loaded
        query={overview}
        rows={8}
        notes={false}
        isEmpty={({ data }) => data.clusters.length === 0}
        empty={{ title: "No clusters", reason: "No cluster is configured." }}
      >
        {({ data }) => (
          <DataTable
            label="Clusters"
            columns={COLUMNS}
            rows={[...data.clusters].sort((a, b) => (RANK[a.status] ?? 1) - (RANK[b.status] ?? 1))}
            rowKey={(cluster) => cluster.name}
            isSticky={false}
          />
        )}
      </Loaded>
    </Panel>
  );
}
