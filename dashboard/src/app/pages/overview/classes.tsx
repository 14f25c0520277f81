import type { UseQueryResult } from "@tanstack/react-query";

import { paths, withQuery } from "@app/Routes";
import type { Schemas } from "@app/client/types";
import { DataTable, type Column } from "@app/components/data-table";
import { CountLink } from "@app/components/links";
import { Loaded } from "@app/components/loaded";
import { Panel } from "@app/components/panel";
import { className } from "@app/labels";
import type { OverviewAnswer } from "@app/queries/overview";

type ClassCount = Schemas["ClassCount"];

const MOST = 5;

const COLUMNS: Column<ClassCount>[] = [
  { title: "Failure class", cell: (one) => className(one.class) },
  {
    title: "Instances",
    cell: (one) => (
      <CountLink
        count={one.instances}
        to={withQuery(paths.instances, { class: one.class })}
        what={`instances with ${className(one.class)}`}
      />
    ),
    isNumeric: true,
  },
];

/** What instances fail with most. */
export function Classes({ overview }: { overview: UseQueryResult<OverviewAnswer> }) {
  return (
    <Panel title="Most frequent failures">
      <Loaded
        query={overview}
        rows={MOST}
        notes={false}
        isEmpty={({ data }) => data.top_classes.length === 0}
        empty={{ title: "No failures", reason: "No instance is known to fail." }}
      >
        {({ data }) => (
          <DataTable
            label="Most frequent failures"
            columns={COLUMNS}
            rows={data.top_classes.slice(0, MOST)}
            rowKey={(one) => one.class}
            isSticky={false}
          />
        )}
      </Loaded>
    </Panel>
  );
}
