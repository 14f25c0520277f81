import { screen, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, it } from "vitest";

import groups from "@test/answers/groups.json";
import incidents from "@test/answers/incidents.json";
import { renderAt } from "@test/render";
import { serve } from "@test/server";

import IncidentList from "./incident-list";

const NOTHING = { body: { ...incidents, data: [] } };
const ALL = {
  "/incidents": { body: incidents },
  "/overview/groups": { body: groups },
  "/clusters": NOTHING,
  "/labs": NOTHING,
  "/failure-classes": NOTHING,
};
const of = (asked: string[]) =>
  asked
    .filter((path) => path.startsWith("/incidents?"))
    .map((path) => new URLSearchParams(path.split("?")[1]));

it("shows the most urgent first and leaves out what another incident covers", async () => {
  const asked = serve(ALL);
  renderAt(<IncidentList />, "/incidents");
  const link = await screen.findByRole("link", { name: "Smoke test failed" });
  expect(link).toHaveAttribute("href", `/incidents/${incidents.data[0]?.id ?? ""}`);
  expect(of(asked)[0]?.get("sort")).toBe("-priority,onset_at");
  expect(of(asked)[0]?.get("top_level")).toBe("true");
});

it("sorts by urgency in the one way the server knows, whatever way the header is clicked", async () => {
  const asked = serve(ALL);
  const { address } = renderAt(<IncidentList />, "/incidents");
  const table = within(await screen.findByRole("grid", { name: "Incidents" }));
  await userEvent.click(table.getByRole("button", { name: "Since" }));
  expect(address()).toContain("sort=onset_at");
  const severity = () =>
    within(screen.getByRole("grid", { name: "Incidents" })).getByRole("button", { name: "Severity" });
  await userEvent.click(severity());
  await userEvent.click(severity());
  const sorts = of(asked).map((query) => query.get("sort"));
  expect(new Set(sorts)).toEqual(new Set(["-priority,onset_at", "onset_at"]));
});

it("shows covered incidents when asked to", async () => {
  const asked = serve(ALL);
  renderAt(<IncidentList />, "/incidents?lab=LB1203&covered=1");
  expect(await screen.findByRole("switch", { name: /Also what another incident covers/ })).toBeChecked();
  expect(of(asked)[0]?.get("top_level")).toBe("false");
  expect(of(asked)[0]?.get("lab")).toBe("LB1203");
  expect(of(asked)[0]?.has("covered")).toBe(false);
});

it("cuts the list to a span with a time the server understands", async () => {
  const asked = serve(ALL);
  renderAt(<IncidentList />, "/incidents?within=6h");
  await screen.findByRole("link", { name: "Smoke test failed" });
  expect(of(asked)[0]?.get("since")).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:00\.000Z$/);
  expect(of(asked)[0]?.has("within")).toBe(false);
});

it("tells nothing matching from nothing wrong", async () => {
  serve({ ...ALL, "/incidents": NOTHING });
  renderAt(<IncidentList />, "/incidents?severity=low");
  expect(await screen.findByText("Nothing matches")).toBeVisible();
});

it("says of every group how far it reaches", async () => {
  serve(ALL);
  renderAt(<IncidentList />, "/incidents?tab=groups&selected=smoke_test_failed");
  const table = await screen.findByRole("grid", { name: "Groups of incidents" });
  expect(within(table).getByText("Concentrated")).toBeVisible();
  expect(within(table).getByText("Systemic")).toBeVisible();
  expect(within(table).getByText(/One lab: look at the lab's definition first/)).toBeVisible();
  expect(within(table).getByRole("link", { name: "One incident stands for them" })).toBeVisible();
  expect(within(table).getByRole("link", { name: "All 14 instances" })).toHaveAttribute(
    "href",
    "/incidents?class=smoke_test_failed&covered=1",
  );
});
