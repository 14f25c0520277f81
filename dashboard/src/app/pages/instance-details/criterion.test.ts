import { describe, expect, it } from "vitest";

import type { Criterion, StageRow } from "@app/queries/instances";

import { evidenceKind, failingMembers, firstTrouble, resultOf } from "./criterion";

const criterion = (
  value: Criterion["value"],
  failing: Criterion["failing"] = [],
  required = true,
): Criterion => ({
  name: "desired_replicas_ready",
  role: "exit",
  required,
  value,
  unknown_reason: null,
  failing,
  failing_count: null,
  excluded: [],
});
const stage = (name: string, outcome: string, criteria: Criterion[] = []) =>
  ({ stage: name, outcome, criteria }) as StageRow;

describe("resultOf", () => {
  it("never takes what is not known for passed", () => {
    expect(resultOf(criterion(null))).toBe("indeterminate");
    expect(resultOf(criterion(true))).toBe("pass");
  });

  it("tells what is required from what is not", () => {
    expect(resultOf(criterion(false))).toBe("fail");
    expect(resultOf(criterion(false, [], false))).toBe("warn");
  });
});

describe("firstTrouble", () => {
  it("prefers a later failure to an earlier doubt", () => {
    const stages = [stage("a", "pass"), stage("b", "indeterminate"), stage("c", "fail"), stage("d", "fail")];
    expect(firstTrouble(stages)?.stage).toBe("c");
    expect(firstTrouble([stage("a", "pass"), stage("b", "skipped")])).toBeNull();
  });
});

describe("failingMembers", () => {
  it("names each object once with everything that is said of it, and none that is only not probed", () => {
    const api = { kind: "Deployment", name: "api", reason: "0/1 ready" };
    const stages = [
      stage("deployment-ready", "fail", [
        criterion(false, [api]),
        criterion(false, [{ ...api, reason: "crash loop" }, api]),
        criterion(null, [{ kind: "Route", name: "web", reason: "not probed" }]),
      ]),
      stage("route-ready", "pass", [criterion(false, [{ kind: "Route", name: "x", reason: "y" }], false)]),
    ];
    expect(failingMembers(stages)).toEqual([
      { kind: "Deployment", name: "api", reasons: ["0/1 ready", "crash loop"] },
    ]);
  });
});

describe("evidenceKind", () => {
  it("finds the evidence of a kind", () => {
    expect(evidenceKind("Pod")).toBe("pod");
    expect(evidenceKind("VirtualMachineInstance")).toBe("virtual-machine-instance");
    expect(evidenceKind("AnarchySubject")).toBe("subject");
  });
});
