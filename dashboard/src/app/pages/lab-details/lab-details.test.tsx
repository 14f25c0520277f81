import { screen, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, it } from "vitest";

import incidents from "@test/answers/incidents.json";
import instances from "@test/answers/instances.json";
import lab from "@test/answers/lab.json";
import pipeline from "@test/answers/lab-pipeline.json";
import sessions from "@test/answers/lab-sessions.json";
import transitions from "@test/answers/transitions.json";
import { renderAt } from "@test/render";
import { problem, serve } from "@test/server";

import LabDetails from "./lab-details";

const ALL = {
  "/labs/LB1203": { body: lab },
  "/labs/LB1203/pipeline": { body: pipeline },
  "/labs/LB1203/sessions": { body: sessions },
  "/instances": { body: instances },
  "/incidents": { body: incidents },
  "/transitions": { body: transitions },
  "/failure-classes": { body: { ...instances, data: [] } },
  "/constraints/violations": { body: { ...instances, data: [] } },
};
const at = (query = "") => renderAt(<LabDetails />, `/labs/LB1203${query}`, "/labs/:code");

it("shows the stages that apply with their counts, and names the others", async () => {
  serve(ALL);
  at();
  const steps = await screen.findByRole("list", { name: "Stages of the lab" });
  expect(within(steps).getAllByRole("button")).toHaveLength(8);
  expect(within(steps).getByText("fail 2 · pass 9 (18 % of the known)")).toBeVisible();
  expect(
    screen.getByText(/3 not applicable here: Cluster health, VM runtime ready, Model endpoint ready/),
  ).toBeVisible();
});

it("picks the instances of a stage, in the address too", async () => {
  const asked = serve(ALL);
  const { address } = at();
  const button = await screen.findByRole("button", { name: "Deployment ready" });
  expect(button).toHaveAttribute("aria-pressed", "false");
  await userEvent.click(button);
  expect(address()).toBe("/labs/LB1203?stage=deployment-ready");
  expect(await screen.findByRole("grid", { name: "Longest failing at Deployment ready" })).toBeVisible();
  expect(
    asked.some((path) => path.startsWith("/instances?") && path.includes("stage=deployment-ready")),
  ).toBe(true);
  expect(screen.getByRole("button", { name: "Deployment ready" })).toHaveAttribute("aria-pressed", "true");
});

it("does not deny a failure that the newest reading did not see", async () => {
  const stages = pipeline.data.map((stage) => ({ ...stage, worst: [] }));
  serve({ ...ALL, "/labs/LB1203/pipeline": { body: { ...pipeline, data: stages } } });
  at("?stage=deployment-ready");
  expect(await screen.findByText(/was not seen again at the newest reading/)).toBeVisible();
  expect(screen.queryByText(/Nothing fails at/)).not.toBeInTheDocument();
});

it("asks for the instances of this lab only", async () => {
  const asked = serve(ALL);
  at("?tab=instances&state=failing");
  const link = await screen.findByRole("link", { name: "sandbox-gkmpf-gitops-basics" });
  expect(link).toHaveAttribute("href", "/instances/75453ccc-c442-5fd0-a6ee-c07f08e2008c");
  expect(asked.some((path) => path.startsWith("/instances?") && path.includes("lab=LB1203"))).toBe(true);
});

it("tells what happened, newest first", async () => {
  serve(ALL);
  at("?tab=timeline");
  const list = await screen.findByRole("list", { name: "What happened to LB1203" });
  const items = await within(list).findAllByRole("listitem");
  expect(items.length).toBeGreaterThan(3);
  const times = items.map((item) => item.querySelector("time")?.dateTime ?? "");
  expect(times).toEqual(times.toSorted().reverse());
});

it("shows what each session needs and finds", async () => {
  serve(ALL);
  at("?tab=sessions");
  expect(await screen.findByText("Ocotillo A")).toBeVisible();
  expect(screen.getByText(/0 of 5 ready, 2 failing, 9 unknown/)).toBeVisible();
});

it("says that a lab is not there, and offers no retry that would not help", async () => {
  serve({
    "/labs/LB1203": problem(404, "not-found", "There is no such thing", { detail: "there is no lab" }),
  });
  at("?tab=differences");
  expect((await screen.findAllByText(/There is no such thing/)).length).toBeGreaterThan(0);
  expect(screen.queryByRole("button", { name: "Retry" })).not.toBeInTheDocument();
});
