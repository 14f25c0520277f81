import { List, ListItem } from "@patternfly/react-core";

import type { Row } from "@app/client/types";
import { DataTable, type Column } from "@app/components/data-table";
import { FilterToolbar } from "@app/components/filter-toolbar";
import { Loaded } from "@app/components/loaded";
import { Count } from "@app/components/not-known";
import { StatusLabel } from "@app/components/status-label";
import { Duration, Timestamp } from "@app/components/times";
import { useUrlState } from "@app/hooks/url-state";
import { shownAs, wordsOf } from "@app/labels";
import { useClusterScans } from "@app/queries/clusters";

type Scan = Row<"/api/v1/scans">;

const COLUMNS: Column<Scan>[] = [
  { title: "Started", cell: (scan) => <Timestamp at={scan.started_at} />, modifier: "nowrap" },
  { title: "Read", cell: (scan) => shownAs("tier", scan.tier).text },
  { title: "Result", cell: (scan) => <StatusLabel of="scan" value={scan.state} />, modifier: "nowrap" },
  { title: "Took", cell: (scan) => <Duration seconds={took(scan)} />, isNumeric: true, modifier: "nowrap" },
  { title: "Objects", cell: (scan) => <Count value={scan.items} />, isNumeric: true },
  { title: "Namespaces", cell: (scan) => <Count value={scan.namespaces} />, isNumeric: true },
  { title: "Changed", cell: (scan) => <Count value={scan.changed} />, isNumeric: true },
  { title: "Problems", cell: (scan) => <Count value={scan.problems.length} />, isNumeric: true },
  { title: "Because of", cell: (scan) => shownAs("trigger", scan.trigger).text },
];

function took(scan: Scan): number {
  return (Date.parse(scan.finished_at) - Date.parse(scan.started_at)) / 1000;
}

/** Whether the cluster is read as it should be, and what went wrong. */
export function Scans({ cluster }: { cluster: string }) {
  const url = useUrlState({ many: ["tier", "state"] });
  const scans = useClusterScans(cluster, url.query);
  return (
    <>
      <FilterToolbar
        url={url}
        facets={[
          { name: "state", title: "Result", options: wordsOf("scan") },
          { name: "tier", title: "Read", options: wordsOf("tier") },
        ]}
      />
      <Loaded
        query={scans}
        rows={12}
        filter={url}
        empty={{ title: "No scans", reason: "This cluster was never read." }}
      >
        {({ data, page }) => (
          <DataTable
            label={`Scans of ${cluster}`}
            columns={COLUMNS}
            rows={data}
            rowKey={(scan) => scan.id}
            page={page}
            url={url}
            expand={(scan) =>
              scan.problems.length === 0 ? null : (
                <List>
                  {scan.problems.map((problem) => (
                    <ListItem key={problem.subject}>
                      <strong>{problem.subject}</strong>: {problem.detail}
                    </ListItem>
                  ))}
                </List>
              )
            }
          />
        )}
      </Loaded>
    </>
  );
}
