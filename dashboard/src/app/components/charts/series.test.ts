import { describe, expect, it } from "vitest";

import { greatest, latest, loners, rowsOf, unknownSpans, type ChartSeries } from "./series";

const line = (key: string, values: (number | null)[], isDashed = false): ChartSeries => ({
  key,
  label: key,
  color: "black",
  isDashed,
  points: values.map((y, index) => ({ t: index * 10, y })),
});

describe("what is not known", () => {
  it("is a span of buckets in which no series has a value", () => {
    const series = [line("a", [1, null, null, 4, null]), line("b", [1, 2, null, 4, null])];
    expect(unknownSpans(series, 10)).toEqual([
      { from: 20, to: 30 },
      { from: 40, to: 50 },
    ]);
  });

  it("joins neighbours, and a zero is known", () => {
    expect(unknownSpans([line("a", [null, null, 0, null])], 10)).toEqual([
      { from: 0, to: 20 },
      { from: 30, to: 40 },
    ]);
  });

  it("is not filled by a limit, which nobody measured", () => {
    expect(unknownSpans([line("a", [null]), line("limit", [80], true)], 10)).toEqual([{ from: 0, to: 10 }]);
  });
});

describe("points", () => {
  it("without a neighbour are the ones between gaps", () => {
    const { points } = line("a", [1, null, 3, null, 5, 6]);
    expect(loners(points).map((point) => point.y)).toEqual([1, 3]);
  });

  it("end with the newest that is known, and say when that is old", () => {
    expect(latest(line("a", [1, 2, null]).points)).toEqual({ y: 2, isNow: true });
    expect(latest(line("a", [1, null, null, null]).points)).toEqual({ y: 1, isNow: false });
    expect(latest(line("a", [null]).points)).toBeNull();
  });
});

describe("the axis", () => {
  it("holds the sum of what is stacked, and the greatest of what is not", () => {
    const series = [line("a", [1, 5, null]), line("b", [2, 1, 4])];
    expect(greatest(series, true)).toBe(6);
    expect(greatest(series, false)).toBe(5);
  });
});

describe("rows", () => {
  it("are the newest first, with null where nobody knows", () => {
    expect(rowsOf([line("a", [1, null]), line("b", [3, 4])])).toEqual([
      { t: 10, values: [null, 4] },
      { t: 0, values: [1, 3] },
    ]);
  });
});
