import { Pagination } from "@patternfly/react-core";
import { Table, Tbody, Td, Th, Thead, Tr } from "@patternfly/react-table";
import { useState } from "react";

import { NotKnown } from "../not-known";
import { rowsOf, type ChartSeries } from "./series";
import type { Unit } from "./units";

const ROWS = 10;

type Props = { label: string; series: readonly ChartSeries[]; unit: Unit; timeText: (t: number) => string };

/** The numbers of a chart, the newest first. */
export function ChartTable({ label, series, unit, timeText }: Props) {
  const [page, setPage] = useState(1);
  const rows = rowsOf(series);
  return (
    <>
      <Table aria-label={label} variant="compact">
        <Thead>
          <Tr>
            <Th>From</Th>
            {series.map((one) => (
              <Th key={one.key} className="sg-numeric">
                {one.label}
              </Th>
            ))}
          </Tr>
        </Thead>
        <Tbody>
          {rows.slice((page - 1) * ROWS, page * ROWS).map((row) => (
            <Tr key={row.t}>
              <Td dataLabel="From">{timeText(row.t)}</Td>
              {row.values.map((value, index) => (
                <Td key={series[index]?.key} dataLabel={series[index]?.label} className="sg-numeric">
                  {value === null ? <NotKnown /> : unit.format(value)}
                </Td>
              ))}
            </Tr>
          ))}
        </Tbody>
      </Table>
      {rows.length > ROWS && (
        <Pagination
          isCompact
          itemCount={rows.length}
          perPage={ROWS}
          perPageOptions={[]}
          page={page}
          onSetPage={(_event, next) => {
            setPage(next);
          }}
          titles={{ paginationAriaLabel: `Pages of ${label}` }}
        />
      )}
    </>
  );
}
