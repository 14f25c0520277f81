import { screen, within } from "@testing-library/react";
import { expect, it } from "vitest";

import classes from "@test/answers/failure-classes.json";
import incident from "@test/answers/incident.json";
import instance from "@test/answers/instance.json";
import stages from "@test/answers/stages.json";
import { renderAt } from "@test/render";
import { problem, serve } from "@test/server";

import IncidentDetails from "./incident-details";

const { id } = incident.data;
const classOf = (name: string) => ({
  body: { ...classes, data: classes.data.find((one) => one.id === name) },
});
const ALL = {
  [`/incidents/${id}`]: { body: incident },
  "/failure-classes/smoke_test_failed": classOf("smoke_test_failed"),
  "/failure-classes/image_pull_backoff": classOf("image_pull_backoff"),
  "/stages": { body: stages },
};
const at = (which = id) => renderAt(<IncidentDetails />, `/incidents/${which}`, "/incidents/:id");

it("says what it is, whom it concerns, and what to do", async () => {
  serve(ALL);
  at();
  expect(await screen.findByRole("heading", { level: 1, name: "Smoke test failed" })).toBeVisible();
  expect(screen.getByText(/smoke_test_failed on 14 instances/)).toBeVisible();
  const members = screen.getByRole("grid", { name: "Instances of the incident" });
  expect(within(members).getByRole("link", { name: "sandbox-g7zqm-serverless" })).toBeVisible();
  expect(await screen.findByText(/^First: /)).toBeVisible();
  expect(screen.getByRole("grid", { name: "Incidents it covers" })).toBeVisible();
});

it("tells its story from the first evidence on", async () => {
  serve(ALL);
  at();
  const items = within(await screen.findByRole("list", { name: "Timeline" })).getAllByRole("listitem");
  expect(items.at(-1)).toHaveTextContent("Began, as far as the evidence tells");
});

it("shows what is checked at the stage when it is about one instance", async () => {
  const one = { ...instance.data.incidents[0], class_history: [], parent: null, children: [], members: [] };
  serve({
    ...ALL,
    "/incidents/one": { body: { data: one, meta: incident.meta } },
    [`/instances/${instance.data.id}`]: { body: instance },
  });
  at("one");
  const checks = await screen.findByRole("grid", { name: "Checks of deployment-ready" });
  expect(within(checks).getByText("Deployment api")).toBeVisible();
});

it("does without a class, and says so", async () => {
  serve({ ...ALL, [`/incidents/${id}`]: { body: { ...incident, data: { ...incident.data, class: null } } } });
  at();
  expect(await screen.findByText(/No failure class fits/)).toBeVisible();
});

it("says that an incident is not there", async () => {
  serve({ ...ALL, "/incidents/gone": problem(404, "not-found", "There is no such thing") });
  at("gone");
  expect(await screen.findByText(/There is no such thing/)).toBeVisible();
});
