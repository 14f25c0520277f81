import { Content } from "@patternfly/react-core";
import { Link } from "react-router";

import { DataTable, type Column } from "@app/components/data-table";
import { LabLink } from "@app/components/links";
import { Panel } from "@app/components/panel";
import { StatusLabel } from "@app/components/status-label";
import { Loaded } from "@app/components/loaded";
import { CriteriaTable } from "@app/pages/instance-details/criteria-table";
import type { IncidentDetail } from "@app/queries/incidents";
import { useInstance } from "@app/queries/instances";
import { to } from "@app/Routes";

import { onePerInstance } from "./members";

type Member = IncidentDetail["members"][number];

const COLUMNS: readonly Column<Member>[] = [
  {
    title: "Namespace",
    cell: (row) => <Link to={to.instance(row.instance_id)}>{row.namespace ?? "Instance"}</Link>,
  },
  { title: "Lab", cell: (row) => (row.lab == null ? "None known" : <LabLink code={row.lab} />) },
  {
    title: "Cluster",
    cell: (row) => (row.cluster == null ? "None" : <Link to={to.cluster(row.cluster)}>{row.cluster}</Link>),
  },
  {
    title: "Its incident",
    cell: (row) => (
      <Link to={to.incident(row.incident_id)}>
        <StatusLabel of="incident" value={row.state} isCompact />
      </Link>
    ),
  },
];

/** Instances with an incident each. */
export function MemberTable({ label, members }: { label: string; members: readonly Member[] }) {
  return (
    <DataTable
      label={label}
      columns={COLUMNS}
      rows={members}
      rowKey={(row) => row.incident_id}
      isSticky={false}
    />
  );
}

/** Who is concerned, each instance once. */
export function MembersPanel({ members }: { members: readonly Member[] }) {
  const instances = onePerInstance(members);
  return (
    <Panel title={instances.length === 1 ? "The instance" : `${instances.length} instances`}>
      {instances.length === 0 ? (
        <Content component="p">It is about the cluster itself: no instance is part of it.</Content>
      ) : (
        <MemberTable label="Instances of the incident" members={instances} />
      )}
    </Panel>
  );
}

/** What its one instance says now at the stage that fails. */
export function StagePanel({ instanceId, stage }: { instanceId: string; stage: string }) {
  const instance = useInstance(instanceId);
  return (
    <Panel title="What is checked there now">
      <Loaded
        query={instance}
        notes={false}
        isEmpty={({ data }) => !data.stages.some((one) => one.stage === stage)}
      >
        {({ data }) => (
          <CriteriaTable
            stage={stage}
            criteria={data.stages.find((one) => one.stage === stage)?.criteria ?? []}
          />
        )}
      </Loaded>
    </Panel>
  );
}
