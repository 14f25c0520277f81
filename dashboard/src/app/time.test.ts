import { describe, expect, it } from "vitest";

import { duration, fullTime, relative, shortTime, zoneName } from "./time";

const NOW = Date.parse("2026-11-24T08:12:00Z");

describe("time", () => {
  it("shows a length in its two largest units", () => {
    expect([0, 42.4, 60, 3599, 3600, 7500, 86_400, 90_061].map(duration)).toEqual([
      "0 s",
      "42 s",
      "1 min",
      "59 min",
      "1 h",
      "2 h 5 min",
      "1 d",
      "1 d 1 h",
    ]);
  });

  it("says whether a time is past or ahead", () => {
    expect(relative("2026-11-24T08:09:00Z", NOW)).toBe("3 min ago");
    expect(relative("2026-11-24T10:12:00Z", NOW)).toBe("in 2 h");
    expect(relative("2026-11-24T08:11:58Z", NOW)).toBe("just now");
    expect(relative("nonsense", NOW)).toBe("nonsense");
  });

  it("leaves the day out only on that day in that zone", () => {
    expect(shortTime("2026-11-24T05:00:00Z", "UTC", NOW)).toBe("05:00");
    // In Phoenix it is still the day before.
    expect(shortTime("2026-11-24T05:00:00Z", "America/Phoenix", NOW)).toBe("Mon 23 Nov, 22:00");
    expect(shortTime("2026-11-24T08:00:00Z", "America/Phoenix", NOW)).toBe("01:00");
  });

  it("names the zone in full", () => {
    expect(fullTime("2026-11-24T05:00:07Z", "UTC")).toMatch(/24 Nov 2026.*05:00:07 UTC/);
    expect(zoneName("event", "America/Phoenix")).toBe("America/Phoenix");
    expect(zoneName("event", null)).toBe("UTC");
    expect(zoneName("utc", "America/Phoenix")).toBe("UTC");
  });
});
