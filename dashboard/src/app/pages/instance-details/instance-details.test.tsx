import { screen, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, it } from "vitest";

import evidence from "@test/answers/instance-evidence.json";
import instance from "@test/answers/instance.json";
import why from "@test/answers/instance-why.json";
import stages from "@test/answers/stages.json";
import { renderAt } from "@test/render";
import { problem, serve } from "@test/server";

import InstanceDetails from "./instance-details";

const PATH = `/instances/${instance.data.id}`;
const ALL = {
  [PATH]: { body: instance },
  [`${PATH}/why`]: { body: why },
  [`${PATH}/evidence`]: { body: evidence },
  "/stages": { body: stages },
};
const at = (query = "") => renderAt(<InstanceDetails />, `${PATH}${query}`, "/instances/:id");

it("names what fails, down to the pod, and how to look further", async () => {
  serve(ALL);
  at();
  const objects = await screen.findByRole("list", { name: "Objects that fail" });
  expect(within(objects).getByText("Deployment api")).toBeVisible();
  const pods = await screen.findByRole("grid", { name: "Pods that are not ready" });
  expect(within(pods).getByText("api-lcnvg8t9lb-xzm8p")).toBeVisible();
  expect(within(pods).getByText("ImagePullBackOff")).toBeVisible();
  expect(screen.getByDisplayValue("oc -n sandbox-gkmpf-gitops-basics describe deployment/api")).toBeVisible();
});

it("opens the stage that fails, with what is expected and what was observed", async () => {
  serve(ALL);
  const { address } = at();
  const checks = await screen.findByRole("grid", { name: "Checks of deployment-ready" });
  expect(address()).toContain("selected=deployment-ready");
  const row = within(checks).getByText("Desired replicas ready").closest("tr");
  if (row === null) throw new Error("the check is in no row");
  expect(
    await within(row).findByText(/Every controller that should run has all its replicas ready/),
  ).toBeVisible();
  expect(within(row).getByText("It does not hold")).toBeVisible();
  expect(within(row).getByText("Fail")).toBeVisible();
});

it("leaves open what the address says is open", async () => {
  serve(ALL);
  at("?selected=smoke-test-ready");
  const checks = await screen.findByRole("grid", { name: "Checks of smoke-test-ready" });
  expect(within(checks).getByText("Not known: what is known is too old")).toBeVisible();
  expect(screen.queryByRole("grid", { name: "Checks of deployment-ready" })).not.toBeInTheDocument();
});

it("shows the chain with every join, what is missing, and who waits", async () => {
  serve(ALL);
  at();
  const chain = await screen.findByRole("list", { name: "Provisioning chain" });
  expect(
    within(chain).getByRole("link", { name: "techfest-2026.lb1203-gitops.event-gkmpf" }),
  ).toHaveAttribute("href", "/provisioning/subjects/4c479f1d-ec03-4580-be01-ca93dd64162f");
  expect(within(chain).getByText(/joined by service_uuid > claim > catalogItemName > ci_name/)).toBeVisible();
  expect(within(chain).getByText("Strong")).toBeVisible();
  expect(within(chain).getByText(/No pool is joined/)).toBeVisible();
  expect(within(chain).getByText(/0 of 5 ready, 2 failing, 9 unknown/)).toBeVisible();
  const gaps = screen.getByRole("list", { name: "What is not known" });
  expect(within(gaps).getByText("How job 41040 went")).toBeVisible();
});

it("keeps the page when the chain cannot be read", async () => {
  serve({ ...ALL, [`${PATH}/why`]: problem(500, "internal", "Something went wrong") });
  at();
  expect(await screen.findByText(/Something went wrong/)).toBeVisible();
  expect(screen.getByRole("grid", { name: "Stages" })).toBeVisible();
});

it("keeps the page when the evidence may not be read", async () => {
  serve({
    ...ALL,
    [`${PATH}/evidence`]: problem(403, "forbidden", "You may not read this", { required_role: "developer" }),
  });
  at();
  expect((await screen.findAllByText(/This needs the role Developer/)).length).toBeGreaterThan(0);
  expect(screen.getByText("Deployment api")).toBeVisible();
});

it("shows a document with its hash when its row is opened", async () => {
  serve(ALL);
  at();
  const table = await screen.findByRole("grid", { name: "Evidence" });
  const row = within(table).getByText("Pod").closest("tr");
  if (row === null) throw new Error("the kind is in no row");
  await userEvent.click(within(row).getByRole("button", { name: /details/i }));
  expect(await screen.findByText(/"ImagePullBackOff"/)).toBeVisible();
  expect(screen.getByText(/^c1d867bdb8b5/)).toBeVisible();
});
