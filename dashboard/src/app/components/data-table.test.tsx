import { screen, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { describe, expect, it } from "vitest";

import type { PageInfo } from "@app/client/types";
import { useUrlState } from "@app/hooks/url-state";
import { renderAt } from "@test/render";

import { DataTable, type Column } from "./data-table";

type Thing = { name: string; size: number };

const COLUMNS: Column<Thing>[] = [
  { title: "Name", cell: (thing) => thing.name, sort: "name" },
  { title: "Size", cell: (thing) => thing.size, sort: "size", descendingFirst: true },
];

const ROWS: Thing[] = [
  { name: "a", size: 1 },
  { name: "b", size: 2 },
];

function Things({ page }: { page: PageInfo }) {
  const url = useUrlState({ sort: "name" });
  return (
    <DataTable
      label="Things"
      columns={COLUMNS}
      rows={ROWS}
      rowKey={(thing) => thing.name}
      url={url}
      page={page}
      expand={(thing) => (thing.name === "a" ? <p>more of a</p> : null)}
    />
  );
}

const PAGE: PageInfo = { limit: 2, has_more: true, next_cursor: "n", prev_cursor: null };

describe("DataTable", () => {
  it("sorts through the address, the better direction first", async () => {
    const { address } = renderAt(<Things page={PAGE} />, "/?cursor=x");
    const head = screen.getByRole("columnheader", { name: /Name/ });
    expect(head).toHaveAttribute("aria-sort", "ascending");
    await userEvent.click(screen.getByRole("button", { name: "Size" }));
    expect(address()).toBe("/?sort=-size");
    expect(screen.getByRole("columnheader", { name: /Size/ })).toHaveAttribute("aria-sort", "descending");
  });

  it("goes from page to page by cursors", async () => {
    const { address } = renderAt(<Things page={PAGE} />);
    expect(screen.getByRole("button", { name: "Previous page" })).toBeDisabled();
    await userEvent.click(screen.getByRole("button", { name: "Next page" }));
    expect(address()).toBe("/?cursor=n");
  });

  it("has no pages when all rows are there", () => {
    renderAt(<Things page={{ ...PAGE, has_more: false, next_cursor: null }} />);
    expect(screen.queryByRole("navigation")).not.toBeInTheDocument();
  });

  it("opens rows that have more, and keeps open rows in the address", async () => {
    const { address } = renderAt(<Things page={PAGE} />);
    expect(screen.queryByText("more of a")).not.toBeInTheDocument();
    const buttons = within(screen.getByRole("grid", { name: "Things" })).getAllByRole("button", {
      name: "Details",
    });
    expect(buttons).toHaveLength(1);
    await userEvent.click(buttons[0] as HTMLElement);
    expect(screen.getByText("more of a")).toBeInTheDocument();
    expect(address()).toBe("/?selected=a");
  });

  it("opens the rows of the address", () => {
    renderAt(<Things page={PAGE} />, "/?selected=a");
    expect(screen.getByText("more of a")).toBeInTheDocument();
  });
});
