import { describe, expect, it } from "vitest";

import { chainOf, sentence } from "./chain";

const joined = (kind: string, name: string) => ({
  kind,
  key: name,
  name,
  state: "started",
  method: "service_uuid",
  strength: "exact" as const,
  since: "2026-11-24T00:03:25Z",
});

describe("chainOf", () => {
  it("goes from the subject to the lab, and keeps every component's subject", () => {
    const steps = chainOf({
      chain: [joined("lab", "LB1203"), joined("subject", "a"), joined("subject", "b")],
      not_known: [],
    });
    expect(steps.map((step) => step.kind)).toEqual([
      "subject",
      "placement",
      "resource-handle",
      "resource-claim",
      "resource-pool",
      "catalog-item",
      "workshop",
      "lab",
    ]);
    expect(steps[0]?.joined.map((row) => row.name)).toEqual(["a", "b"]);
    expect(steps[0]?.missing).toBeNull();
  });

  it("says why a step is missing in the server's words, and never leaves it blank", () => {
    const steps = chainOf({
      chain: [],
      not_known: [{ what: "its subject", why: "nothing joins it to one" }],
    });
    expect(steps[0]?.missing).toBe("Nothing joins it to one.");
    expect(steps.every((step) => step.missing !== null && step.missing !== "")).toBe(true);
  });
});

describe("sentence", () => {
  it("makes a clause one, once", () => {
    expect(sentence("babylon was not read for 2 h")).toBe("Babylon was not read for 2 h.");
    expect(sentence("Done.")).toBe("Done.");
    expect(sentence("")).toBe("");
  });
});
