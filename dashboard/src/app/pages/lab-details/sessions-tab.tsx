import { DataTable, type Column } from "@app/components/data-table";
import { FilterToolbar } from "@app/components/filter-toolbar";
import { Loaded } from "@app/components/loaded";
import { Count } from "@app/components/not-known";
import { StatusLabel } from "@app/components/status-label";
import { Age, Timestamp } from "@app/components/times";
import { useUrlState } from "@app/hooks/url-state";
import { wordsOf } from "@app/labels";
import { useLabSessions, type LabSession } from "@app/queries/labs";

const COLUMNS: readonly Column<LabSession>[] = [
  {
    title: "Begins",
    sort: "starts_at",
    cell: (row) =>
      row.starts_at == null ? (
        `${row.date}, no time yet`
      ) : (
        <>
          <Timestamp at={row.starts_at} />
          <div className="sg-subtle">
            <Age at={row.starts_at} />
          </div>
        </>
      ),
  },
  { title: "Ends", cell: (row) => <Timestamp at={row.ends_at} /> },
  { title: "Room", cell: (row) => row.room ?? "No room yet" },
  { title: "Stands", cell: (row) => <StatusLabel of="session" value={row.phase} isCompact /> },
  {
    title: "Ready / needed",
    isNumeric: true,
    cell: (row) => (
      <>
        <Count value={row.ready} why="Instances are not joined to labs now" /> /{" "}
        <Count value={row.needed} why="The schedule does not say how many come" />
      </>
    ),
  },
  { title: "Failing", isNumeric: true, cell: (row) => <Count value={row.failing} /> },
  { title: "Unknown", isNumeric: true, cell: (row) => <Count value={row.unknown} /> },
  { title: "Attendees", sort: "attendees", isNumeric: true, cell: (row) => <Count value={row.attendees} /> },
  {
    title: "Verdict",
    width: 30,
    cell: (row) => (
      <>
        {row.verdict == null ? null : <StatusLabel of="verdict" value={row.verdict} isCompact />}
        <div className="sg-subtle">{row.sentence}</div>
      </>
    ),
  },
];

/** Who comes when, and whether what they need is ready. */
export function SessionsTab({ code }: { code: string }) {
  const url = useUrlState({ many: ["phase", "verdict"], sort: "starts_at" });
  const sessions = useLabSessions(code, url.query);
  return (
    <>
      <FilterToolbar
        url={url}
        facets={[
          { name: "phase", title: "Phase", options: wordsOf("session") },
          { name: "verdict", title: "Verdict", options: wordsOf("verdict") },
        ]}
      />
      <Loaded
        query={sessions}
        filter={url}
        empty={{
          title: "No sessions ahead",
          reason: "The schedule has none for this lab that runs or is still to come.",
        }}
      >
        {({ data, page }) => (
          <DataTable
            label="Sessions"
            columns={COLUMNS}
            rows={data}
            rowKey={(row) => row.id}
            url={url}
            page={page}
          />
        )}
      </Loaded>
    </>
  );
}
