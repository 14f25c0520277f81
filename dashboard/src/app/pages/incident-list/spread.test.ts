import { describe, expect, it } from "vitest";

import { spreadOf } from "./spread";

const group = (instances: number, clusters: number, labs: number) => ({
  instances,
  clusters: Array.from({ length: clusters }, (_, i) => `cnv-${String(i)}`),
  labs: Array.from({ length: labs }, (_, i) => `LB${String(i)}`),
});

describe("spreadOf", () => {
  it("tells one lab from the platform", () => {
    expect(spreadOf(group(14, 6, 1))).toBe("one_lab");
    expect(spreadOf(group(11, 6, 7))).toBe("systemic");
  });

  it("tells one cluster from several", () => {
    expect(spreadOf(group(3, 1, 3))).toBe("one_cluster");
    expect(spreadOf(group(4, 2, 3))).toBe("spreading");
    expect(spreadOf(group(4, 3, 3))).toBe("systemic");
  });

  it("does not make much of one instance, nor a lab's problem of a cluster's own", () => {
    expect(spreadOf(group(1, 1, 1))).toBe("single");
    expect(spreadOf(group(0, 1, 0))).toBe("one_cluster");
  });
});
