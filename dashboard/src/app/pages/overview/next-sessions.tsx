import { Link } from "react-router";

import { paths, to, withQuery } from "@app/Routes";
import type { Row } from "@app/client/types";
import { DataTable, type Column } from "@app/components/data-table";
import { CountLink, LabLink } from "@app/components/links";
import { Loaded } from "@app/components/loaded";
import { Meter } from "@app/components/meter";
import { Count } from "@app/components/not-known";
import { Panel } from "@app/components/panel";
import { StatusLabel } from "@app/components/status-label";
import { Age, Timestamp } from "@app/components/times";
import { useNextSessions } from "@app/queries/overview";

type Session = Row<"/api/v1/sessions">;

const VARIANTS = { ready: "success", at_risk: "warning", not_ready: "danger" } as const;

function variantOf(verdict: string | null | undefined) {
  return verdict !== null && verdict !== undefined && verdict in VARIANTS
    ? VARIANTS[verdict as keyof typeof VARIANTS]
    : undefined;
}

const COLUMNS: Column<Session>[] = [
  {
    title: "Start",
    cell: (session) =>
      session.starts_at === null || session.starts_at === undefined ? (
        <>{session.date}, no time yet</>
      ) : (
        <>
          <Timestamp at={session.starts_at} />
          <div className="sg-subtle">
            <Age at={session.starts_at} />
          </div>
        </>
      ),
    modifier: "nowrap",
  },
  {
    title: "Lab",
    width: 35,
    cell: (session) => (
      <>
        <LabLink code={session.lab_code} />
        <div className="sg-subtle">{[session.title, session.room].filter(Boolean).join(", ")}</div>
      </>
    ),
  },
  { title: "People", cell: (session) => <Count value={session.attendees} />, isNumeric: true },
  {
    title: "Ready / needed",
    cell: (session) => (
      <Meter
        what={`Ready instances of ${session.lab_code}`}
        value={session.needed === null || session.needed === undefined ? null : session.ready}
        most={session.needed ?? 0}
        text={`${session.ready ?? "?"} / ${session.needed ?? "?"}`}
        variant={variantOf(session.verdict)}
      />
    ),
    width: 20,
  },
  {
    title: "Failing",
    cell: (session) => (
      <CountLink
        count={session.failing}
        to={withQuery(paths.instances, { lab: session.lab_code, state: "failing" })}
        what={`failing instances of ${session.lab_code}`}
      />
    ),
    isNumeric: true,
  },
  {
    title: "Verdict",
    cell: (session) => <StatusLabel of="verdict" value={session.verdict} hint={session.sentence} />,
    modifier: "nowrap",
  },
];

/** Whether what runs now, and what begins next, has what it needs. */
export function NextSessions() {
  const sessions = useNextSessions();
  return (
    <Panel
      title="Running and next sessions"
      actions={<Link to={to.provisioning("sessions")}>All sessions</Link>}
    >
      <Loaded
        query={sessions}
        rows={8}
        notes={false}
        empty={{
          title: "No sessions ahead",
          reason: "No session runs, and none is planned for the days that are known.",
        }}
      >
        {({ data }) => (
          <DataTable
            label="Running and next sessions"
            columns={COLUMNS}
            rows={data}
            rowKey={(session) => session.id}
            isSticky={false}
          />
        )}
      </Loaded>
    </Panel>
  );
}
