import { Link } from "react-router";

import { ClusterLinks, LabLink } from "@app/components/links";
import { DataTable, type Column } from "@app/components/data-table";
import { StatusLabel } from "@app/components/status-label";
import { Age } from "@app/components/times";
import type { PageInfo } from "@app/client/types";
import type { UrlState } from "@app/hooks/url-state";
import { className, humanized, shownAs, stageName } from "@app/labels";
import type { InstanceRow } from "@app/queries/instances";
import { to } from "@app/Routes";

type Props = {
  label: string;
  rows: readonly InstanceRow[];
  page: PageInfo;
  url: Pick<UrlState, "sort" | "setSort" | "cursor" | "setCursor">;
  /** On the page of one lab its code would be the same in every row. */
  withLab?: boolean;
};

/** Instances, one a row; the namespace leads to the whole story. */
export function InstanceTable({ label, rows, page, url, withLab = true }: Props) {
  return (
    <DataTable
      label={label}
      columns={withLab ? COLUMNS : COLUMNS.filter((column) => column !== LAB)}
      rows={rows}
      rowKey={(row) => row.id}
      url={url}
      page={page}
    />
  );
}

const LAB: Column<InstanceRow> = { title: "Lab", cell: (row) => <LabLink code={row.lab} /> };

const COLUMNS: readonly Column<InstanceRow>[] = [
  {
    title: "Namespace",
    sort: "namespace",
    cell: (row) => <Link to={to.instance(row.id)}>{row.namespace}</Link>,
  },
  LAB,
  { title: "Cluster", cell: (row) => <ClusterLinks names={[row.cluster]} /> },
  { title: "State", cell: (row) => <InstanceStateLabel instance={row} /> },
  {
    title: "First trouble at",
    info: "The first stage of the pipeline that does not pass",
    cell: (row) => (row.failing_stage == null ? "None" : stageName(row.failing_stage)),
  },
  { title: "Failure class", cell: (row) => <ClassCell instance={row} /> },
  {
    title: "Failing since",
    sort: "onset_at",
    cell: (row) => <Age at={row.onset_at} none={row.state === "unknown" ? undefined : "not failing"} />,
  },
  { title: "Changed", sort: "changed_at", descendingFirst: true, cell: (row) => <Age at={row.changed_at} /> },
];

/** Where an instance stands; of one that is not seen any more also what it was last. */
export function InstanceStateLabel({
  instance,
}: {
  instance: Pick<InstanceRow, "state" | "last_known_state">;
}) {
  const last = instance.last_known_state;
  const hint = last == null ? undefined : `Last seen: ${shownAs("state", last).text.toLowerCase()}`;
  return <StatusLabel of="state" value={instance.state} hint={hint} />;
}

function ClassCell({ instance }: { instance: InstanceRow }) {
  if (instance.class == null) return instance.state === "failing" ? className(null) : "None";
  return (
    <>
      {className(instance.class)}
      {instance.sub_class != null && <div className="sg-subtle">{humanized(instance.sub_class)}</div>}
    </>
  );
}
