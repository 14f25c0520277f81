import { Link } from "react-router";

import { DataTable, type Column } from "@app/components/data-table";
import { CountLink } from "@app/components/links";
import { StatusLabel } from "@app/components/status-label";
import { Age } from "@app/components/times";
import type { PageInfo } from "@app/client/types";
import type { UrlState } from "@app/hooks/url-state";
import { className, stageName } from "@app/labels";
import type { LabRow } from "@app/queries/labs";
import { paths, to, withQuery } from "@app/Routes";
import { useNow } from "@app/time";

import { ReadyBar } from "./ready-bar";
import { UNMAPPED } from "./tally";

const instancesIn = (row: LabRow, state: string) => withQuery(paths.instances, { lab: row.code, state });

const COLUMNS: readonly Column<LabRow>[] = [
  {
    title: "Lab",
    sort: "code",
    width: 20,
    cell: (row) => (
      <>
        <Link to={to.lab(row.code)}>{row.code === UNMAPPED ? "Unmapped" : row.code}</Link>
        <div className="sg-subtle">
          {row.code === UNMAPPED ? "Instances that nothing joins to a lab" : row.title}
        </div>
        {row.code !== UNMAPPED && (
          <StatusLabel
            of="mapping"
            value={row.mapping}
            hint="How its instances were joined to the lab: by its code is surest"
            isCompact
          />
        )}
      </>
    ),
  },
  { title: "Next session", cell: (row) => <NextSession session={row.next_session} /> },
  {
    title: "Ready",
    sort: "instances",
    descendingFirst: true,
    cell: (row) => <ReadyBar counts={row.instances} />,
  },
  {
    title: "Failing",
    sort: "failing",
    descendingFirst: true,
    isNumeric: true,
    cell: (row) => (
      <CountLink
        count={row.instances.failing}
        to={instancesIn(row, "failing")}
        what={`failing instances of ${row.code}`}
      />
    ),
  },
  {
    title: "Unknown",
    sort: "unknown",
    descendingFirst: true,
    isNumeric: true,
    cell: (row) => (
      <CountLink
        count={row.instances.unknown}
        to={instancesIn(row, "unknown")}
        what={`instances of ${row.code} of which it is not known`}
      />
    ),
  },
  {
    title: "Fails first at",
    sort: "failing_since",
    cell: (row) =>
      row.worst_stage == null ? (
        "Nothing fails"
      ) : (
        <>
          <Link to={to.lab(row.code, { stage: row.worst_stage })}>{stageName(row.worst_stage)}</Link>
          <div className="sg-subtle">
            {className(row.top_class)}, <Age at={row.failing_since} />
          </div>
        </>
      ),
  },
  {
    title: "Incidents",
    sort: "open_incidents",
    descendingFirst: true,
    isNumeric: true,
    cell: (row) => (
      <CountLink
        count={row.open_incidents}
        to={withQuery(paths.incidents, { lab: row.code, covered: "1" })}
        what={`open incidents of ${row.code}`}
      />
    ),
  },
];

/** Labs, one a row. */
export function LabTable(props: {
  rows: readonly LabRow[];
  page: PageInfo;
  url: Pick<UrlState, "sort" | "setSort" | "cursor" | "setCursor">;
}) {
  return <DataTable label="Labs" columns={COLUMNS} rowKey={(row) => row.code} {...props} />;
}

/** When a session begins, or that it has begun. */
export function Begins({ at }: { at: string | null | undefined }) {
  const now = useNow();
  return (
    <>
      {at != null && Date.parse(at) <= now && "began "}
      <Age at={at} none="No time yet" />
    </>
  );
}

function NextSession({ session }: { session: LabRow["next_session"] }) {
  if (session == null) return <>None scheduled</>;
  return (
    <>
      <div>
        <Begins at={session.starts_at} />
        {session.room != null && `, ${session.room}`}
      </div>
      <StatusLabel of="verdict" value={session.verdict} isCompact />
    </>
  );
}
