import { screen, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, it } from "vitest";

import labs from "@test/answers/labs.json";
import { renderAt } from "@test/render";
import { problem, serve } from "@test/server";

import LabList from "./lab-list";

const NOTHING = { body: { ...labs, data: [] } };
const AROUND = { "/clusters": NOTHING, "/failure-classes": NOTHING };
const hasIssues = ({ instances }: (typeof labs.data)[number]) =>
  instances.failing + instances.warning + instances.unknown > 0;
const answer = (url: URL) => ({
  body: {
    ...labs,
    data: url.searchParams.get("health") === "issues" ? labs.data.filter(hasIssues) : labs.data,
  },
});

it("shows labs with issues only, and how many it hides", async () => {
  const asked = serve({ ...AROUND, "/labs": answer });
  renderAt(<LabList />, "/labs");
  expect(await screen.findByRole("link", { name: "LB1206" })).toHaveAttribute("href", "/labs/LB1206");
  expect(screen.queryByRole("link", { name: "dev-labs.webshop-next.dev" })).not.toBeInTheDocument();
  expect(screen.getByRole("switch", { name: /Only labs with issues \(1 hidden\)/ })).toBeChecked();
  expect(asked.some((path) => path.startsWith("/labs?") && path.includes("health=issues"))).toBe(true);
});

it("keeps unmapped instances as a row of their own and says how many there are", async () => {
  serve({ ...AROUND, "/labs": answer });
  renderAt(<LabList />, "/labs");
  expect(await screen.findByRole("link", { name: "Unmapped" })).toHaveAttribute("href", "/labs/unmapped");
  expect(screen.getByRole("link", { name: /37 instances belong to no known lab/ })).toBeVisible();
});

it("leads from a count to the instances behind it", async () => {
  serve({ ...AROUND, "/labs": answer });
  renderAt(<LabList />, "/labs");
  const link = await screen.findByRole("link", { name: "14 failing instances of LB1206" });
  expect(link).toHaveAttribute("href", "/instances?lab=LB1206&state=failing");
  const row = screen.getByRole("link", { name: "LB1101" }).closest("tr");
  expect(row).not.toBeNull();
  if (row !== null) expect(within(row).getByText("Nothing fails")).toBeVisible();
});

it("shows all labs when asked to, and keeps that in the address", async () => {
  serve({ ...AROUND, "/labs": answer });
  const { address } = renderAt(<LabList />, "/labs");
  await userEvent.click(await screen.findByRole("switch"));
  expect(await screen.findByRole("link", { name: "dev-labs.webshop-next.dev" })).toBeVisible();
  expect(address()).toBe("/labs?health=all");
});

it("tells no issues from no labs", async () => {
  serve({
    ...AROUND,
    "/labs": (url) => ({
      body: {
        ...labs,
        data: url.searchParams.get("health") === "issues" ? [] : labs.data.filter((one) => !hasIssues(one)),
      },
    }),
  });
  renderAt(<LabList />, "/labs");
  expect(await screen.findByText("No lab has issues")).toBeVisible();
});

it("says what went wrong, with the request's id", async () => {
  serve({ ...AROUND, "/labs": problem(503, "dependency-unavailable", "The database does not answer") });
  renderAt(<LabList />, "/labs");
  expect(await screen.findByText(/The database does not answer/)).toBeVisible();
  expect(screen.getByText("req-1")).toBeVisible();
});
