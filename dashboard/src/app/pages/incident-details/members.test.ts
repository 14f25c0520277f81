import { expect, it } from "vitest";

import { onePerInstance } from "./members";

const member = (instance: string, incident: string, state: "open" | "resolved") => ({
  instance_id: instance,
  incident_id: incident,
  state,
  namespace: null,
  cluster: null,
  lab: null,
});

it("names an instance that failed twice once, by the incident that goes on", () => {
  const members = [member("a", "1", "resolved"), member("b", "2", "open"), member("a", "3", "open")];
  expect(onePerInstance(members).map((one) => one.incident_id)).toEqual(["2", "3"]);
});
