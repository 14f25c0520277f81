import { screen, within } from "@testing-library/react";
import { describe, expect, it } from "vitest";

import attention from "@test/fixtures/attention.json";
import overview from "@test/fixtures/overview.json";
import recommendations from "@test/fixtures/recommendations.json";
import sessions from "@test/fixtures/sessions.json";
import sources from "@test/fixtures/sources.json";
import { renderAt } from "@test/render";
import { problem, serve } from "@test/server";

import { loadText } from "./fleet";
import Overview from "./overview";

const ALL = {
  "/overview": { body: overview },
  "/overview/attention": { body: attention },
  "/sessions": { body: sessions },
  "/sources": { body: sources },
  "/recommendations": { body: recommendations },
};

const part = (name: string) => within(screen.getByRole("region", { name }));

describe("the overview", () => {
  it("says in one sentence how the fleet stands, and names what is silent", async () => {
    serve(ALL);
    renderAt(<Overview />);
    expect(
      await screen.findByRole("heading", {
        name: /103 of 407 lab instances are failing; 18 critical incidents open/,
      }),
    ).toBeInTheDocument();
    expect(screen.getByText(/7 of 8 clusters reporting; missing: ocp-shared-1/)).toBeInTheDocument();
    expect(document.title).toBe("Overview | StarGate");
  });

  it("leads from each count to the list behind it", async () => {
    serve(ALL);
    renderAt(<Overview />);
    const links = await screen.findAllByRole("link", { name: /^\d+ failing$/ });
    expect(links[0]).toHaveAttribute("href", "/instances?state=failing");
    expect(screen.getByRole("link", { name: "22 failing instances on cnv-east-1" })).toHaveAttribute(
      "href",
      "/instances?cluster=cnv-east-1&state=failing",
    );
  });

  it("shows a cluster that was not read first, its load as unknown", async () => {
    serve(ALL);
    renderAt(<Overview />);
    const rows = await part("Clusters").findAllByRole("row");
    expect(rows[1]).toHaveTextContent("ocp-shared-1");
    expect(rows[1]).toHaveTextContent("Critical");
    expect(rows[1]).toHaveTextContent("unknown");
  });

  it("shows what a session has of what it needs, and its verdict in words", async () => {
    serve(ALL);
    renderAt(<Overview />);
    const row = (await part("Running and next sessions").findByText("LB1203")).closest("tr");
    expect(row).toHaveTextContent("0 / 5");
    expect(row).toHaveTextContent("Not known");
    expect(row).toHaveTextContent("GitOps from zero, Ocotillo A");
  });

  it("keeps its other parts when one cannot be read", async () => {
    serve({ ...ALL, "/sessions": problem(403, "forbidden", "You may not see sessions") });
    renderAt(<Overview />);
    expect(
      await part("Running and next sessions").findByText(/You may not see sessions/),
    ).toBeInTheDocument();
    expect(await part("Needs attention").findAllByRole("row")).toHaveLength(attention.data.length + 1);
  });

  it("is one request when the server tells everything at once", async () => {
    const data = {
      ...overview.data,
      next_sessions: sessions.data,
      attention: attention.data,
      sources: sources.data,
      recommendations: { open: 9, urgent: 2, top: recommendations.data },
    };
    const asked = serve({ "/overview": { body: { ...overview, data } } });
    renderAt(<Overview />);
    expect(await screen.findByText("LB1203")).toBeInTheDocument();
    expect(part("Sources").getByText("agnosticv")).toBeInTheDocument();
    expect(part("Recommendations").getAllByRole("listitem")).toHaveLength(recommendations.data.length);
    expect(asked).toEqual(["/overview"]);
  });

  it("shows its parts though the whole cannot be read", async () => {
    serve({ ...ALL, "/overview": problem(403, "forbidden", "Not this") });
    renderAt(<Overview />);
    expect(await screen.findByText("LB1203")).toBeInTheDocument();
  });

  it("says why there is nothing", async () => {
    serve({ ...ALL, "/sessions": { body: { ...sessions, data: [] } } });
    renderAt(<Overview />);
    expect(await screen.findByText("No sessions ahead")).toBeInTheDocument();
  });

  it("shows a count that nobody knows as a word", async () => {
    const data = {
      ...overview.data,
      sessions_next: { window_h: 24, unknown_reason: "the calendar was never read" },
    };
    serve({ ...ALL, "/overview": { body: { ...overview, data } } });
    renderAt(<Overview />);
    const tile = within(await screen.findByRole("region", { name: "Sessions in the next 24 h" }));
    expect(tile.getAllByText("unknown")).toHaveLength(4);
  });
});

describe("the load of a cluster", () => {
  it("is shown as far as it is known", () => {
    expect(loadText({ cpu_pct: 43.6, mem_pct: 54 })).toBe("44 / 54 %");
    expect(loadText({ cpu_pct: null, mem_pct: 54 })).toBe("? / 54 %");
    expect(loadText({ cpu_pct: null, mem_pct: null })).toBeNull();
  });
});
