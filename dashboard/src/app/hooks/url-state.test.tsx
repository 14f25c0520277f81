import { act, renderHook } from "@testing-library/react";
import { MemoryRouter, useLocation } from "react-router";
import { describe, expect, it } from "vitest";

import { useTab, useUrlState, useUrlValue } from "./url-state";

function at(address: string) {
  const wrapper = ({ children }: { children: React.ReactNode }) => (
    <MemoryRouter initialEntries={[address]}>{children}</MemoryRouter>
  );
  const { result } = renderHook(
    () => ({
      url: useUrlState({ many: ["state", "cluster"], one: ["q"], sort: "-failing" }),
      value: useUrlValue("view", "list"),
      tab: useTab("summary"),
      search: useLocation().search,
    }),
    { wrapper },
  );
  return result;
}

describe("the address as state", () => {
  it("gives the filters as an operation takes them", () => {
    const { current } = at("/?state=failing&state=warning&q=rhel&cursor=abc&other=1");
    expect(current.url.query).toEqual({
      state: ["failing", "warning"],
      q: "rhel",
      cursor: "abc",
      sort: "-failing",
    });
    expect(current.url.isFiltered).toBe(true);
    expect(at("/?tz=utc").current.url).toMatchObject({ isFiltered: false, query: { sort: "-failing" } });
  });

  it("goes back to the first page with another filter or order, and keeps what is not its own", () => {
    const result = at("/?state=failing&cursor=abc&tz=utc");
    act(() => {
      result.current.url.update({ state: [], q: "rhel" });
    });
    expect(result.current.search).toBe("?tz=utc&q=rhel");
    act(() => {
      result.current.url.setCursor("next");
    });
    act(() => {
      result.current.url.setSort("name");
    });
    expect(result.current.search).toBe("?tz=utc&q=rhel&sort=name");
  });

  it("clears filters, not the order", () => {
    const result = at("/?state=failing&q=a&sort=name&tz=utc");
    act(() => {
      result.current.url.clear();
    });
    expect(result.current.search).toBe("?sort=name&tz=utc");
  });

  it("leaves the filters of a tab behind, but not the time zone", () => {
    const result = at("/?tab=nodes&sort=-cpu_pct&tz=utc");
    expect(result.current.tab[0]).toBe("nodes");
    act(() => {
      result.current.tab[1]("scans");
    });
    expect(result.current.search).toBe("?tz=utc&tab=scans");
    act(() => {
      result.current.tab[1]("summary");
    });
    expect(result.current.search).toBe("?tz=utc");
  });

  it("does not write what is usual", () => {
    const result = at("/");
    act(() => {
      result.current.value[1]("cards");
    });
    expect(result.current.search).toBe("?view=cards");
    act(() => {
      result.current.value[1]("list");
    });
    expect(result.current.search).toBe("");
  });
});
