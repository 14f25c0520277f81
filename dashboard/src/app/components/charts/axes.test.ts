import { describe, expect, it } from "vitest";

import { timeTicks, zoneOffset } from "./time-ticks";
import { unitOf, valueTicks } from "./units";

const HOUR = 3_600_000;

describe("values", () => {
  it("are divided at round numbers from zero", () => {
    expect(valueTicks(17, unitOf("instances"))).toEqual([0, 5, 10, 15, 20]);
    expect(valueTicks(0, unitOf("instances"))).toEqual([0, 1]);
    expect(valueTicks(3, unitOf("instances"))).toEqual([0, 1, 2, 3]);
  });

  it("of time are divided at minutes and hours", () => {
    const unit = unitOf("seconds");
    expect(valueTicks(2_100, unit).map(unit.format)).toEqual(["0 s", "10 min", "20 min", "30 min", "40 min"]);
  });

  it("of percent end at a hundred, or above when more was measured", () => {
    expect(valueTicks(42, unitOf("percent")).at(-1)).toBe(100);
    expect(valueTicks(130, unitOf("percent")).at(-1)).toBe(150);
  });

  it("have a unit also when the API names one that is new", () => {
    expect(unitOf("open_tickets").name).toBe("Open tickets");
  });
});

describe("time", () => {
  const from = Date.parse("2026-11-23T18:10:00Z");

  it("is divided at whole hours of the zone", () => {
    const ticks = timeTicks(from, from + 6 * HOUR, "Asia/Kolkata", 6);
    expect(ticks.map((tick) => tick.label)).toEqual(["24 Nov", "01:00", "02:00", "03:00", "04:00", "05:00"]);
    expect(new Date(ticks[0]?.t ?? 0).toISOString()).toBe("2026-11-23T18:30:00.000Z");
  });

  it("stays at whole hours when clocks change in between", () => {
    // Clocks in Prague go back at 01:00 UTC on 25 October 2026.
    const start = Date.parse("2026-10-24T20:00:00Z");
    const ticks = timeTicks(start, start + 18 * HOUR, "Europe/Prague", 6);
    expect(ticks.map((tick) => tick.label)).toEqual(["25 Oct", "03:00", "06:00", "09:00", "12:00", "15:00"]);
    expect(zoneOffset(start, "Europe/Prague")).toBe(2 * HOUR);
    expect(zoneOffset(start + 18 * HOUR, "Europe/Prague")).toBe(HOUR);
  });

  it("is never divided more often than there is room", () => {
    for (const days of [1, 7, 30, 90]) {
      expect(timeTicks(from, from + days * 24 * HOUR, "UTC", 6).length).toBeLessThanOrEqual(7);
    }
  });
});
