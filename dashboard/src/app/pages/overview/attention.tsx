import { Link } from "react-router";

import { paths, to, withQuery } from "@app/Routes";
import type { Row } from "@app/client/types";
import { DataTable, type Column } from "@app/components/data-table";
import { ClusterLinks, CountLink } from "@app/components/links";
import { Loaded } from "@app/components/loaded";
import { Panel } from "@app/components/panel";
import { StatusLabel } from "@app/components/status-label";
import { Age } from "@app/components/times";
import { className, stageName } from "@app/labels";
import { useAttention } from "@app/queries/overview";

type Incident = Row<"/api/v1/overview/attention">;

/** Where it is, in a few words: one lab, one cluster, or more. */
function where(incident: Incident): string {
  if (incident.scope === "fleet") return "across the fleet";
  if (incident.namespace !== null && incident.namespace !== undefined) return incident.namespace;
  if (incident.scope === "cluster") return incident.cluster ?? "one cluster";
  return incident.labs.join(", ");
}

const COLUMNS: Column<Incident>[] = [
  {
    title: "Severity",
    cell: (incident) => <StatusLabel of="severity" value={incident.severity} />,
    modifier: "nowrap",
  },
  {
    title: "What",
    cell: (incident) => (
      <>
        <Link to={to.incident(incident.id)}>{className(incident.class)}</Link>
        <div className="sg-subtle sg-break">
          {where(incident)}, {stageName(incident.stage).toLowerCase()}
        </div>
      </>
    ),
    width: 40,
  },
  {
    title: "Instances",
    cell: (incident) => (
      <CountLink count={incident.instances} to={to.incident(incident.id)} what="instances of this incident" />
    ),
    isNumeric: true,
    modifier: "nowrap",
  },
  {
    title: "Clusters",
    cell: (incident) => <ClusterLinks names={incident.clusters} most={1} />,
    modifier: "nowrap",
  },
  { title: "Since", cell: (incident) => <Age at={incident.onset_at} />, modifier: "nowrap" },
];

/** What is broken now, the most urgent first. */
export function Attention() {
  const incidents = useAttention();
  return (
    <Panel
      title="Needs attention"
      actions={<Link to={withQuery(paths.incidents, { state: "open" })}>All open incidents</Link>}
    >
      <Loaded
        query={incidents}
        rows={8}
        notes={false}
        empty={{
          title: "Nothing needs attention",
          reason: "No incident is open in what is known of the fleet.",
        }}
      >
        {({ data }) => (
          <DataTable
            label="Needs attention"
            columns={COLUMNS}
            rows={data}
            rowKey={(incident) => incident.id}
            isSticky={false}
          />
        )}
      </Loaded>
    </Panel>
  );
}
