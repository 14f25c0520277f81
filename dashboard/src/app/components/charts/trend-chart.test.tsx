import { screen, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { describe, expect, it } from "vitest";

import { renderAt } from "@test/render";

import { BarTrend } from "./bar-trend";
import { LevelChart } from "./level-chart";
import { TrendChart } from "./trend-chart";
import type { Trend } from "./trend";

const FROM = Date.parse("2026-11-24T00:00:00Z");
const at = (index: number) => new Date(FROM + index * 300_000).toISOString();

const trend: Trend = {
  metric: "instances_failing",
  unit: "instances",
  bucket_s: 300,
  from: at(0),
  to: at(3),
  other: true,
  series: [
    {
      key: "image_pull_backoff",
      points: [4, null, 0].map((value, index) => ({ t: at(index), value, n: 1 })),
    },
    { key: "other", points: [1, null, 2].map((value, index) => ({ t: at(index), value, n: 1 })) },
  ],
};

describe("a trend", () => {
  it("is drawn with a title and a description for who cannot see it", async () => {
    renderAt(<TrendChart title="Failing instances" kind="bar" trend={trend} />);
    const chart = await screen.findByRole("img", { name: /Failing instances/ });
    expect(chart).toHaveAccessibleDescription(/Newest values: image_pull_backoff: 0, All others: 2/);
    expect(chart).toHaveAccessibleDescription(/Nothing is known for/);
  });

  it("has a legend that says where nothing is known", () => {
    renderAt(
      <TrendChart title="Failing instances" kind="bar" trend={trend} labelOf={(key) => key.toUpperCase()} />,
    );
    const legend = within(screen.getByRole("list", { name: "Legend" }));
    expect(legend.getAllByRole("listitem").map((item) => item.textContent.trim())).toEqual([
      "IMAGE_PULL_BACKOFF",
      "All others",
      "Unknown",
    ]);
  });

  it("is also a table, in which unknown is a word and zero is zero", async () => {
    renderAt(<TrendChart title="Failing instances" trend={trend} />);
    await userEvent.click(screen.getByRole("button", { name: "View as table" }));
    const rows = within(screen.getByRole("grid", { name: "Failing instances" }))
      .getAllByRole("row")
      .slice(1);
    const values = rows.map((row) =>
      within(row)
        .getAllByRole("cell")
        .slice(1)
        .map((cell) => cell.textContent),
    );
    expect(values).toEqual([
      ["0", "2"],
      ["unknown", "unknown"],
      ["4", "1"],
    ]);
    await userEvent.click(screen.getByRole("button", { name: "View as chart" }));
    expect(await screen.findByRole("img", { name: /Failing instances/ })).toBeInTheDocument();
  });

  it("that nobody measured says so instead of drawing a line at zero", () => {
    const nobody = trend.series.map((one) => ({
      ...one,
      points: one.points.map((point) => ({ ...point, value: null })),
    }));
    renderAt(<TrendChart title="Failing instances" trend={{ ...trend, series: nobody }} />);
    expect(screen.getByText("Not known yet")).toBeInTheDocument();
    expect(screen.queryByRole("button", { name: "View as table" })).not.toBeInTheDocument();
  });
});

describe("levels of a pool", () => {
  it("tell the newest values in the legend, with the number it should hold", () => {
    const point = (index: number, usable: number | null) => ({
      at: at(index),
      usable_min: usable,
      usable_avg: usable,
      available_min: 2,
      available_avg: 2,
      unready_avg: usable === null ? null : 1,
      claimed_avg: usable === null ? null : 15,
      min_available: usable === null ? null : 4,
      samples: 1,
    });
    const series = {
      pool: "p",
      from: at(0),
      to: at(2),
      bucket_s: 300,
      points: [point(0, null), point(1, 3)],
    };
    renderAt(<LevelChart title="Handles" series={series} />);
    const items = within(screen.getByRole("list", { name: "Legend" })).getAllByRole("listitem");
    expect(items.map((item) => item.textContent.trim())).toEqual([
      "Ready to claim 3",
      "Not ready 1",
      "Claimed 15",
      "Should hold 4",
      "Unknown",
    ]);
  });
});

describe("incidents by the hour", () => {
  it("show hours of which nothing is known as unknown", async () => {
    const hours = [
      { start: "2026-11-24T00:00:00Z", opened: 3, resolved: 1 },
      { start: "2026-11-24T01:00:00Z", opened: null, resolved: null },
    ];
    renderAt(<BarTrend title="Incidents" hours={hours} />);
    await userEvent.click(screen.getByRole("button", { name: "View as table" }));
    const cells = screen.getAllByRole("cell").map((cell) => cell.textContent);
    expect(cells.slice(1, 3)).toEqual(["unknown", "unknown"]);
    expect(cells.slice(4, 6)).toEqual(["3", "1"]);
  });
});
