import { Link } from "react-router";

import { to } from "@app/Routes";
import type { Row } from "@app/client/types";
import { DataTable, type Column } from "@app/components/data-table";
import { Loaded } from "@app/components/loaded";
import { NotKnown } from "@app/components/not-known";
import { Panel } from "@app/components/panel";
import { StatusLabel } from "@app/components/status-label";
import { Age } from "@app/components/times";
import { useEverySource } from "@app/queries/overview";

type Source = Pick<
  Row<"/api/v1/sources">,
  "source" | "state" | "last_success_at" | "last_error" | "coverage"
>;

const COLUMNS: Column<Source>[] = [
  {
    title: "Source",
    cell: (source) => <span className="sg-break">{source.source.replace(/^cluster\//, "")}</span>,
  },
  {
    title: "State",
    cell: (source) => (
      <StatusLabel of="source" value={source.state} hint={source.last_error ?? undefined} isCompact />
    ),
  },
  { title: "Read", cell: (source) => <Age at={source.last_success_at} none="never" />, modifier: "nowrap" },
  {
    title: "Coverage",
    cell: ({ coverage }) =>
      coverage.expected === coverage.reporting ? (
        `${coverage.reporting} / ${coverage.expected}`
      ) : (
        <>
          {coverage.reporting} / {coverage.expected} <NotKnown why={coverage.missing.join("; ")} />
        </>
      ),
    isNumeric: true,
  },
];

/** The coverage and age of every source: what all of this rests on. */
export function Sources() {
  const sources = useEverySource();
  return (
    <Panel title="Sources" actions={<Link to={to.settings("sources")}>Settings</Link>}>
      <Loaded
        query={sources}
        rows={12}
        notes={false}
        empty={{ title: "No sources", reason: "None is configured." }}
      >
        {({ data }) => (
          <DataTable
            label="Sources"
            columns={COLUMNS}
            rows={data}
            rowKey={(source) => source.source}
            isSticky={false}
          />
        )}
      </Loaded>
    </Panel>
  );
}
