import { describe, expect, it } from "vitest";

import type { StageRow, WhyAnswer } from "@app/queries/instances";

import { commandsFor } from "./commands";

type SubjectRow = WhyAnswer["subjects"][number];

const instance = { namespace: "sandbox-gkmpf-gitops-basics", cluster: "cnv-east-1" };

function stage(
  outcome: StageRow["outcome"],
  failing: { kind: string; name: string; reason: string }[],
): StageRow {
  return {
    stage: "deployment-ready",
    outcome,
    order: 5,
    reason: null,
    confirmed: outcome,
    since: null,
    unknown_since: null,
    class: null,
    pattern_class: null,
    sub_class: null,
    recommended_action: null,
    message: "",
    criteria: [
      {
        name: "desired_replicas_ready",
        role: "exit",
        required: true,
        value: false,
        unknown_reason: null,
        failing,
        failing_count: null,
        excluded: [],
      },
    ],
    incident_id: null,
    flapping_until: null,
    rubric_version: "8b4146ef9b82c609",
    observed_at: "2026-11-24T00:04:13Z",
  };
}

const subject = { name: "open-labs.x.prod-q7f2k", namespace: "babylon-anarchy-1" } as SubjectRow;

describe("commandsFor", () => {
  it("describes what fails, then shows pods and events", () => {
    const commands = commandsFor(
      instance,
      [stage("fail", [{ kind: "Deployment", name: "api", reason: "0/1 ready" }])],
      [],
    );
    expect(commands.map((one) => one.command)).toEqual([
      "oc -n sandbox-gkmpf-gitops-basics describe deployment/api",
      "oc -n sandbox-gkmpf-gitops-basics get pods -o wide",
      "oc -n sandbox-gkmpf-gitops-basics get events --sort-by=.lastTimestamp",
    ]);
    expect(commands.every((one) => one.where === "cnv-east-1")).toBe(true);
  });

  it("asks the control plane about a subject, and only when its namespace is known", () => {
    const stages = [
      stage("fail", [{ kind: "AnarchySubject", name: subject.name, reason: "provision-failed" }]),
    ];
    expect(commandsFor(instance, stages, [subject])[0]).toMatchObject({
      command: "oc -n babylon-anarchy-1 describe anarchysubject/open-labs.x.prod-q7f2k",
      where: "the Babylon control plane",
    });
    expect(
      commandsFor(instance, stages, [])
        .map((one) => one.command)
        .join(),
    ).not.toContain("anarchysubject");
  });

  it("names nothing of stages that pass", () => {
    const members = [{ kind: "Pod", name: "web-1", reason: "not probed" }];
    expect(commandsFor(instance, [stage("pass", members)], [])).toHaveLength(2);
  });

  it("never puts into a command line what a shell could take for something else", () => {
    const members = [
      { kind: "Pod", name: "web; oc delete ns x", reason: "" },
      { kind: "Pod", name: "$(id)", reason: "" },
      { kind: "Pod", name: "-f", reason: "" },
    ];
    expect(commandsFor(instance, [stage("fail", members)], [])).toHaveLength(2);
    expect(commandsFor({ ...instance, namespace: "x y" }, [], [])).toEqual([]);
  });

  it("only ever reads, each thing once, and not more than a person reads", () => {
    const members = Array.from({ length: 20 }, (_, i) => ({
      kind: "Pod",
      name: `web-${String(i % 10)}`,
      reason: "",
    }));
    const commands = commandsFor(instance, [stage("fail", members)], []).map((one) => one.command);
    expect(commands).toHaveLength(8);
    expect(new Set(commands).size).toBe(8);
    for (const command of commands) expect(command).toMatch(/^oc (-n \S+ )?(get|describe|logs) /);
  });
});
