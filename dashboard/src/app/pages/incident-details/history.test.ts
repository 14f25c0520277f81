import { describe, expect, it } from "vitest";

import type { IncidentDetail } from "@app/queries/incidents";

import { historyOf } from "./history";

type IncidentRow = IncidentDetail["children"][number];

const child = (id: string, opened: string, resolved: string | null = null) =>
  ({ id, opened_at: opened, resolved_at: resolved }) as IncidentRow;

const incident = (over: Partial<IncidentDetail>): IncidentDetail =>
  ({
    onset_at: "2026-11-24T00:03:27Z",
    opened_at: "2026-11-24T00:04:13Z",
    resolved_at: null,
    resolution: null,
    class_history: [{ class: "image_pull_backoff", since: "2026-11-24T00:04:13Z" }],
    children: [],
    ...over,
  }) as IncidentDetail;

describe("historyOf", () => {
  it("begins before it is confirmed", () => {
    expect(historyOf(incident({})).map((entry) => entry.kind)).toEqual(["confirmed", "began"]);
  });

  it("tells changes of class, and not the first class", () => {
    const history = historyOf(
      incident({
        class_history: [
          { class: null, since: "2026-11-24T00:04:13Z" },
          { class: "oom_killed", since: "2026-11-24T00:20:00Z" },
        ],
      }),
    );
    expect(history[0]).toEqual({ kind: "class", at: "2026-11-24T00:20:00Z", from: null, to: "oom_killed" });
    expect(history.filter((entry) => entry.kind === "class")).toHaveLength(1);
  });

  it("tells of fourteen instances that failed together once", () => {
    const children = Array.from({ length: 14 }, (_, i) =>
      child(String(i), `2026-11-24T00:04:${String(10 + i)}Z`),
    );
    const covers = historyOf(incident({ children })).filter((entry) => entry.kind === "covers");
    expect(covers).toHaveLength(1);
    expect(covers[0]).toMatchObject({ at: "2026-11-24T00:04:23Z" });
  });

  it("ends with how it ended", () => {
    const over = incident({
      resolved_at: "2026-11-24T01:00:00Z",
      resolution: "children_resolved",
      children: [child("a", "2026-11-24T00:04:10Z", "2026-11-24T01:00:00Z")],
    });
    expect(historyOf(over).map((entry) => entry.kind)).toEqual([
      "resolved",
      "covered_resolved",
      "confirmed",
      "covers",
      "began",
    ]);
  });
});
