import { describe, expect, it } from "vitest";

import { sinceOf } from "./since";

describe("sinceOf", () => {
  const now = Date.parse("2026-11-24T10:00:42Z");

  it("counts back from the minute", () => {
    expect(sinceOf("6h", now)).toBe("2026-11-24T04:00:00.000Z");
    expect(sinceOf("7d", now)).toBe("2026-11-17T10:00:00.000Z");
    expect(sinceOf("6h", now + 10_000)).toBe(sinceOf("6h", now));
  });

  it("does not cut by a span it does not know", () => {
    expect(sinceOf(undefined, now)).toBeUndefined();
    expect(sinceOf("1y", now)).toBeUndefined();
  });
});
