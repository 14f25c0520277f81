import { describe, expect, it } from "vitest";

import type { IncidentRow } from "@app/queries/incidents";
import type { LabSession, Transition } from "@app/queries/labs";

import { mergeTimeline } from "./timeline";

const now = Date.parse("2026-11-24T12:00:00Z");
const at = (minute: number) => new Date(now - minute * 60_000).toISOString();
const transition = (id: string, minute: number) => ({ id, at: at(minute) }) as Transition;
const incident = (id: string, minute: number) => ({ id, opened_at: at(minute) }) as IncidentRow;
const ids = (timeline: ReturnType<typeof mergeTimeline>) => timeline.entries.map((entry) => entry.id);

describe("mergeTimeline", () => {
  it("puts everything that was read to the end in order, newest first", () => {
    const merged = mergeTimeline(
      { rows: [transition("t1", 1), transition("t2", 30)], hasMore: false },
      { rows: [incident("i1", 10)], hasMore: false },
      [],
      now,
    );
    expect(ids(merged)).toEqual(["t1", "i1", "t2"]);
    expect(merged.behind).toEqual([]);
  });

  it("holds back what is older than the list that was read least far", () => {
    const merged = mergeTimeline(
      { rows: [transition("t1", 1), transition("t2", 20)], hasMore: true },
      { rows: [incident("i1", 10), incident("i2", 300)], hasMore: true },
      [],
      now,
    );
    expect(ids(merged)).toEqual(["t1", "i1", "t2"]);
    expect(merged.behind).toEqual(["transitions"]);
  });

  it("never shows a later page above what was shown before", () => {
    const incidents = { rows: [incident("i1", 10), incident("i2", 300)], hasMore: true };
    const first = mergeTimeline(
      { rows: [transition("t1", 1), transition("t2", 20)], hasMore: true },
      incidents,
      [],
      now,
    );
    const rows = [transition("t1", 1), transition("t2", 20), transition("t3", 21), transition("t4", 400)];
    const second = mergeTimeline({ rows, hasMore: true }, incidents, [], now);
    expect(ids(second).slice(0, first.entries.length)).toEqual(ids(first));
    expect(second.behind).toEqual(["incidents"]);
  });

  it("shows sessions when they began and ended, and none that is still to come or was canceled", () => {
    const session = (id: string, phase: string, from: number, to: number) =>
      ({ id, phase, starts_at: at(from), ends_at: at(to) }) as LabSession;
    const merged = mergeTimeline(
      { rows: [], hasMore: false },
      { rows: [], hasMore: false },
      [
        session("s1", "running", 30, -30),
        session("s2", "upcoming", -60, -120),
        session("s3", "canceled", 90, 60),
      ],
      now,
    );
    expect(ids(merged)).toEqual(["s1-begins"]);
  });
});
