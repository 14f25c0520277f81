import { Label } from "@patternfly/react-core";
import { Link } from "react-router";

import { DataTable, type Column } from "@app/components/data-table";
import { ClusterLinks, LabLink } from "@app/components/links";
import { StatusLabel } from "@app/components/status-label";
import { Age } from "@app/components/times";
import type { PageInfo } from "@app/client/types";
import type { UrlState } from "@app/hooks/url-state";
import { className, stageName } from "@app/labels";
import type { IncidentRow } from "@app/queries/incidents";
import { to } from "@app/Routes";

/** The one order by urgency that the API knows: of equals the oldest first. */
export const BY_PRIORITY = "-priority,onset_at";

type Url = Pick<UrlState, "sort" | "setSort" | "cursor" | "setCursor">;

type Props = {
  label: string;
  rows: readonly IncidentRow[];
  /** Order and page; without them all rows are shown as they come. */
  url?: Url;
  page?: PageInfo;
};

/** Incidents, one a row; the class leads to the whole story. */
export function IncidentTable({ label, rows, url, page }: Props) {
  return (
    <DataTable
      label={label}
      columns={COLUMNS}
      rows={rows}
      rowKey={(row) => row.id}
      url={url === undefined ? undefined : urgentFirst(url)}
      page={page}
      isSticky={url !== undefined}
    />
  );
}

/** Urgency goes one way only: nobody asks for what matters least. */
export function urgentFirst(url: Url): Url {
  return {
    ...url,
    setSort: (sort) => {
      url.setSort(sort.endsWith("priority") ? BY_PRIORITY : sort);
    },
  };
}

const COLUMNS: readonly Column<IncidentRow>[] = [
  {
    title: "Severity",
    sort: "priority",
    descendingFirst: true,
    cell: (row) => (
      <StatusLabel of="severity" value={row.severity} hint={`Priority ${row.priority.toFixed(1)} of 10`} />
    ),
  },
  {
    title: "What",
    width: 35,
    cell: (row) => (
      <>
        <Link to={to.incident(row.id)}>{className(row.class)}</Link> <Marks incident={row} />
        <div className="sg-subtle">
          {stageName(row.stage)}: {row.message}
        </div>
      </>
    ),
  },
  { title: "Where", width: 20, cell: (row) => <Where incident={row} /> },
  { title: "Instances", isNumeric: true, cell: (row) => row.instances.toLocaleString("en") },
  { title: "Clusters", modifier: "nowrap", cell: (row) => <ClusterLinks names={row.clusters} most={1} /> },
  { title: "Since", sort: "onset_at", modifier: "nowrap", cell: (row) => <Age at={row.onset_at} /> },
  {
    title: "State",
    cell: (row) => (
      <>
        <StatusLabel of="incident" value={row.state} isCompact />
        {row.resolved_at != null && (
          <div className="sg-subtle">
            <Age at={row.resolved_at} />
          </div>
        )}
      </>
    ),
  },
];

/** Why changes of an incident are not announced. */
export function Marks({ incident }: { incident: Pick<IncidentRow, "muted" | "flapping"> }) {
  return (
    <>
      {incident.flapping && (
        <Label isCompact color="yellow">
          Flapping
        </Label>
      )}
      {incident.muted && (
        <Label isCompact color="grey">
          Muted
        </Label>
      )}
    </>
  );
}

/** What the incident is about: an instance, a cluster, or what was ordered. */
function Where({ incident }: { incident: IncidentRow }) {
  if (incident.instance_id != null) {
    return (
      <>
        <Link to={to.instance(incident.instance_id)}>{incident.namespace ?? "Instance"}</Link>
        {incident.lab != null && (
          <div className="sg-subtle">
            <LabLink code={incident.lab} />
          </div>
        )}
      </>
    );
  }
  if (incident.cluster != null) {
    return (
      <>
        Cluster <Link to={to.cluster(incident.cluster)}>{incident.cluster}</Link>
      </>
    );
  }
  const [first, ...others] = incident.labs;
  if (first === undefined) return <>The whole fleet</>;
  return (
    <>
      Lab <LabLink code={first} />
      {others.length > 0 && ` and ${others.length} more`}
    </>
  );
}
