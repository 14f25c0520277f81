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

/** Who is concerned. */
export function MembersPanel({ members }: { members: readonly Member[] }) {
  return (
    <Panel title={members.length === 1 ? "The instance" : `${members.length} instances`}>
      {members.length === 0 ? (
        <Content component="p">It is about the cluster itself: no instance is part of it.</Content>
      ) : (
        <DataTable
          label="Instances of the incident"
          columns={COLUMNS}
          rows={members}
          rowKey={(row) => row.incident_id}
          isSticky={false}
        />
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
