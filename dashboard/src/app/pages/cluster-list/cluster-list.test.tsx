import { screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { describe, expect, it } from "vitest";

import clusters from "@test/fixtures/clusters.json";
import { renderAt } from "@test/render";
import { serve } from "@test/server";

import ClusterList from "./cluster-list";
import { nodesText } from "./cluster-table";

/** The menu of a filter; the header of a column may have the same name. */
const menuOf = (title: string) =>
  screen
    .getAllByRole("button", { name: title })
    .find((button) => button.closest("table") === null) as HTMLElement;

describe("clusters", () => {
  it("are asked for by the address, the most failing first", async () => {
    const asked = serve({ "/clusters": { body: clusters } });
    renderAt(<ClusterList />, "/clusters?status=critical&q=ocp");
    expect(await screen.findByRole("link", { name: "ocp-shared-1" })).toHaveAttribute(
      "href",
      "/clusters/ocp-shared-1",
    );
    expect(asked).toEqual(["/clusters?status=critical&q=ocp&sort=-failing"]);
  });

  it("that were not read have no numbers", async () => {
    serve({ "/clusters": { body: clusters } });
    renderAt(<ClusterList />);
    const row = (await screen.findByRole("link", { name: "ocp-shared-1" })).closest("tr");
    expect(row).toHaveTextContent("Critical");
    expect(row).toHaveTextContent("Failed");
    expect(row).toHaveTextContent("unknownunknownunknownunknown");
  });

  it("can be filtered, and all filters taken away when nothing matches", async () => {
    serve({
      "/clusters": (url) => ({ body: url.search.includes("unknown") ? { ...clusters, data: [] } : clusters }),
    });
    const { address } = renderAt(<ClusterList />, "/clusters");
    await screen.findByRole("link", { name: "cnv-east-1" });
    await userEvent.click(menuOf("Status"));
    await userEvent.click(await screen.findByRole("checkbox", { name: "Unknown" }));
    expect(address()).toBe("/clusters?status=unknown");
    expect(await screen.findByText("Nothing matches")).toBeInTheDocument();
    await userEvent.click(screen.getAllByRole("button", { name: "Clear all filters" }).at(-1) as HTMLElement);
    expect(address()).toBe("/clusters");
  });

  it("tell ready nodes from cordoned ones, and nothing when nobody knows", () => {
    expect(nodesText({ ready: 18, total: 20, unschedulable: 0 })).toBe("18 / 20");
    expect(nodesText({ ready: 18, total: 20, unschedulable: 2 })).toBe("18 / 20, 2 cordoned");
    expect(nodesText({ ready: null, total: 20, unschedulable: null })).toBeNull();
  });
});
