import { Button, Flex, FlexItem } from "@patternfly/react-core";
import AngleLeftIcon from "@patternfly/react-icons/dist/esm/icons/angle-left-icon";
import AngleRightIcon from "@patternfly/react-icons/dist/esm/icons/angle-right-icon";
import { ExpandableRowContent, Table, Tbody, Td, Th, Thead, Tr, type ThProps } from "@patternfly/react-table";
import type { ReactNode } from "react";
import { useSearchParams } from "react-router";

import type { PageInfo } from "@app/client/types";
import type { UrlState } from "@app/hooks/url-state";

export type Column<R> = {
  /** Also the accessible name of the cells on small screens. */
  title: string;
  cell: (row: R) => ReactNode;
  /** The API's name of this order; absent when the list cannot be sorted by it. */
  sort?: string;
  /** The better direction to begin with. */
  descendingFirst?: boolean;
  /** What the title means, on hover and focus. */
  info?: string;
  width?: ThProps["width"];
  modifier?: ThProps["modifier"];
  /** Numbers are read from the right. */
  isNumeric?: boolean;
};

type Props<R> = {
  label: string;
  columns: readonly Column<R>[];
  rows: readonly R[];
  rowKey: (row: R) => string;
  /** Order and page, from the address. Without it the table is neither sorted nor paged. */
  url?: Pick<UrlState, "sort" | "setSort" | "cursor" | "setCursor">;
  page?: PageInfo;
  /** What a row shows when it is opened; null when there is nothing more. Open rows are in the address. */
  expand?: (row: R) => ReactNode;
  /** Whether the head stays in sight; a short table in a card has no need of it, and less room. */
  isSticky?: boolean;
};

const OPEN_ROWS = "selected";
/** Tables of more columns do not fit on a tablet: there every row becomes a card. */
const NARROW = 6;

/** A list: sorted and paged by the server, its order, page and open rows in the address. */
export function DataTable<R>(props: Props<R>) {
  const { label, columns, rows, rowKey, url, page, expand, isSticky = true } = props;
  const open = useOpenRows();
  return (
    <>
      <Table
        aria-label={label}
        variant="compact"
        gridBreakPoint={columns.length > NARROW ? "grid-xl" : "grid-md"}
        isStickyHeader={isSticky}
        className={isSticky ? "sg-table" : "sg-table sg-in-card"}
        isExpandable={expand !== undefined}
      >
        <Thead>
          <Tr>
            {expand !== undefined && <Th screenReaderText="Open the row" />}
            {columns.map((column, index) => (
              <Th
                key={column.title}
                width={column.width}
                modifier={column.modifier ?? "nowrap"}
                sort={url === undefined ? undefined : sortOf(columns, index, url)}
                info={column.info === undefined ? undefined : { tooltip: column.info }}
                className={column.isNumeric === true ? "sg-numeric" : undefined}
              >
                {column.title}
              </Th>
            ))}
          </Tr>
        </Thead>
        {expand === undefined ? (
          <Tbody>
            {rows.map((row) => (
              <Tr key={rowKey(row)}>
                <Cells columns={columns} row={row} />
              </Tr>
            ))}
          </Tbody>
        ) : (
          rows.map((row, index) => {
            const key = rowKey(row);
            const more = expand(row);
            const isOpen = more !== null && open.has(key);
            return (
              <Tbody key={key} isExpanded={isOpen}>
                <Tr>
                  <Td
                    expand={
                      more === null
                        ? undefined
                        : {
                            rowIndex: index,
                            isExpanded: isOpen,
                            onToggle: () => {
                              open.toggle(key);
                            },
                          }
                    }
                  />
                  <Cells columns={columns} row={row} />
                </Tr>
                {isOpen && (
                  <Tr isExpanded>
                    <Td colSpan={columns.length + 1}>
                      <ExpandableRowContent>{more}</ExpandableRowContent>
                    </Td>
                  </Tr>
                )}
              </Tbody>
            );
          })
        )}
      </Table>
      {url !== undefined && page !== undefined && (
        <Pages label={label} page={page} url={url} count={rows.length} />
      )}
    </>
  );
}

function Cells<R>({ columns, row }: { columns: readonly Column<R>[]; row: R }) {
  return columns.map((column) => (
    <Td
      key={column.title}
      dataLabel={column.title}
      modifier={column.modifier === "fitContent" ? "nowrap" : column.modifier}
      className={column.isNumeric === true ? "sg-numeric" : undefined}
    >
      {column.cell(row)}
    </Td>
  ));
}

/** The order of a list as its header shows it, and what a click makes of it. */
export function sortOf<R>(
  columns: readonly Column<R>[],
  columnIndex: number,
  url: Pick<UrlState, "sort" | "setSort">,
): ThProps["sort"] {
  const column = columns[columnIndex];
  const field = column?.sort;
  if (field === undefined) return undefined;
  const first = (url.sort ?? "").split(",")[0] ?? "";
  const index = columns.findIndex((one) => one.sort !== undefined && one.sort === first.replace(/^-/, ""));
  return {
    columnIndex,
    sortBy: {
      ...(index >= 0 && { index, direction: first.startsWith("-") ? "desc" : "asc" }),
      defaultDirection: column?.descendingFirst === true ? "desc" : "asc",
    },
    onSort: (_event, _index, direction) => {
      url.setSort(direction === "desc" ? `-${field}` : field);
    },
  };
}

function useOpenRows(): { has: (key: string) => boolean; toggle: (key: string) => void } {
  const [params, setParams] = useSearchParams();
  const open = params.getAll(OPEN_ROWS);
  return {
    has: (key) => open.includes(key),
    toggle: (key) => {
      setParams(
        (before) => {
          const after = new URLSearchParams(before);
          after.delete(OPEN_ROWS);
          const next = open.includes(key) ? open.filter((one) => one !== key) : [...open, key];
          for (const one of next) after.append(OPEN_ROWS, one);
          return after;
        },
        { replace: true, preventScrollReset: true },
      );
    },
  };
}

type PagesProps = {
  label: string;
  page: PageInfo;
  url: Pick<UrlState, "cursor" | "setCursor">;
  count: number;
};

/** Next and previous: long lists have no number of pages that would still be true when it is shown. */
function Pages({ label, page, url, count }: PagesProps) {
  const next = page.next_cursor ?? undefined;
  const previous = page.prev_cursor ?? undefined;
  if (next === undefined && previous === undefined && url.cursor === undefined) return null;
  return (
    <Flex
      component="nav"
      aria-label={`Pages of ${label}`}
      className="sg-pages"
      justifyContent={{ default: "justifyContentFlexEnd" }}
    >
      <FlexItem>{count} rows on this page</FlexItem>
      <Button
        variant="plain"
        icon={<AngleLeftIcon />}
        aria-label="Previous page"
        isDisabled={previous === undefined && url.cursor === undefined}
        onClick={() => {
          url.setCursor(previous);
        }}
      />
      <Button
        variant="plain"
        icon={<AngleRightIcon />}
        aria-label="Next page"
        isDisabled={next === undefined}
        onClick={() => {
          url.setCursor(next);
        }}
      />
    </Flex>
  );
}
