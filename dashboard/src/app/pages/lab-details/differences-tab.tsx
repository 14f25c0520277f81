import { Content } from "@patternfly/react-core";
import { Link } from "react-router";

import { DataTable, type Column } from "@app/components/data-table";
import { FilterToolbar } from "@app/components/filter-toolbar";
import { Loaded } from "@app/components/loaded";
import { StatusLabel } from "@app/components/status-label";
import { Age } from "@app/components/times";
import { useUrlState } from "@app/hooks/url-state";
import { stageName, wordsOf } from "@app/labels";
import { useViolations, type Violation } from "@app/queries/labs";
import { to } from "@app/Routes";

const COLUMNS: readonly Column<Violation>[] = [
  {
    title: "Severity",
    cell: (row) => <StatusLabel of="violation_severity" value={row.severity} isCompact />,
  },
  {
    title: "Difference",
    cell: (row) => <StatusLabel of="violation" value={row.kind} isCompact hint={row.detail} />,
  },
  { title: "Demanded", modifier: "breakWord", cell: (row) => row.expected },
  { title: "Found", modifier: "breakWord", cell: (row) => row.actual },
  { title: "Instance", cell: (row) => <Link to={to.instance(row.instance_id)}>{row.namespace}</Link> },
  { title: "Cluster", cell: (row) => <Link to={to.cluster(row.cluster)}>{row.cluster}</Link> },
  { title: "Says something about", cell: (row) => stageName(row.stage) },
  { title: "First seen", cell: (row) => <Age at={row.detected_at} /> },
];

/** Where what runs differs from what the lab's definition demands. */
export function DifferencesTab({ code }: { code: string }) {
  const url = useUrlState({ many: ["kind", "severity"] });
  const violations = useViolations({ ...url.query, lab: [code] });
  return (
    <>
      <Content component="p">Where what runs differs from what the catalog item demands.</Content>
      <FilterToolbar
        url={url}
        facets={[
          { name: "severity", title: "Severity", options: wordsOf("violation_severity") },
          { name: "kind", title: "Difference", options: wordsOf("violation") },
        ]}
      />
      <Loaded
        query={violations}
        filter={url}
        empty={{
          title: "No differences",
          reason: "As far as its definition was read, every instance of this lab is what was ordered.",
        }}
      >
        {({ data, page }) => (
          <DataTable
            label="Differences"
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
