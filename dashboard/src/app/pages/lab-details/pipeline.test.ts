import { describe, expect, it } from "vitest";

import { countWords, isNear, percent, stepState } from "./pipeline";

const stage = (
  outcomes: Partial<Record<"pass" | "warn" | "fail" | "indeterminate" | "skipped", number>>,
  share: number | null,
) => ({
  stage: "deployment-ready" as const,
  order: 5,
  applicable: true,
  outcomes: { pass: 0, warn: 0, fail: 0, indeterminate: 0, skipped: 0, ...outcomes },
  share_failing: share,
  worst: [],
});

describe("stepState", () => {
  it("keeps a lab with one failing seat of many amber", () => {
    expect(stepState(stage({ pass: 57, fail: 1 }, 1 / 58), false)).toBe("warning");
  });

  it("is failing for the same seat when a session is near", () => {
    expect(stepState(stage({ pass: 57, fail: 1 }, 1 / 58), true)).toBe("failing");
  });

  it("is failing from a fifth of the instances on", () => {
    expect(stepState(stage({ pass: 8, fail: 2 }, 0.2), false)).toBe("failing");
  });

  it("is never passed while anything is unknown", () => {
    expect(stepState(stage({ pass: 99, indeterminate: 1 }, 0), false)).toBe("unknown");
    expect(stepState(stage({}, null), false)).toBe("unknown");
    expect(stepState(stage({ pass: 3 }, 0), false)).toBe("pass");
  });

  it("shows a warning before what is unknown", () => {
    expect(stepState(stage({ pass: 1, warn: 1, indeterminate: 4 }, 0), false)).toBe("warning");
  });
});

describe("isNear", () => {
  const now = Date.parse("2026-11-24T10:00:00Z");

  it("counts running sessions and those of the next two hours", () => {
    expect(isNear("2026-11-24T09:30:00Z", now)).toBe(true);
    expect(isNear("2026-11-24T12:00:00Z", now)).toBe(true);
    expect(isNear("2026-11-24T12:00:01Z", now)).toBe(false);
    expect(isNear(null, now)).toBe(false);
  });
});

describe("words", () => {
  it("names counts that are there, the worst first", () => {
    expect(countWords({ pass: 57, warn: 2, fail: 1, indeterminate: 0, skipped: 3 })).toBe(
      "fail 1 · warn 2 · pass 57",
    );
  });

  it("does not round a share down to nothing", () => {
    expect(percent(0.004)).toBe("< 1 %");
    expect(percent(0)).toBe("0 %");
    expect(percent(0.182)).toBe("18 %");
  });
});
