import { describe, expect, it } from "vitest";

import type { Counts } from "@app/client/types";
import type { LabRow } from "@app/queries/labs";

import { hasIssues, tally } from "./tally";

const lab = (code: string, instances: Partial<Counts>): LabRow =>
  ({
    code,
    instances: {
      total: 0,
      ready: 0,
      warning: 0,
      failing: 0,
      provisioning: 0,
      stopped: 0,
      terminating: 0,
      unknown: 0,
      ...instances,
    },
  }) as LabRow;

const rows = [
  lab("LB1206", { total: 16, failing: 14, unknown: 2 }),
  lab("LB1101", { total: 14, unknown: 13, stopped: 1 }),
  lab("dev-labs.webshop-next.dev", { total: 7, ready: 7 }),
  lab("unmapped", { total: 37, ready: 37 }),
];

describe("tally", () => {
  it("counts what is hidden, the pseudo-lab included", () => {
    expect(tally({ data: rows, page: { has_more: false } })).toEqual({
      labs: 3,
      healthy: "2",
      unmapped: 37,
      text: "3 labs, 1 with failing instances, 1 more of which not everything is known.",
    });
  });

  it("does not pretend to have seen what is on another page", () => {
    const counts = tally({ data: rows, page: { has_more: true } });
    expect(counts.healthy).toBe("at least 2");
    expect(counts.text).toMatch(/^More than 3 labs/);
  });

  it("takes the unknown for an issue, never for health", () => {
    expect(hasIssues(lab("a", { total: 1, unknown: 1 }))).toBe(true);
    expect(hasIssues(lab("a", { total: 1, ready: 1 }))).toBe(false);
  });
});
