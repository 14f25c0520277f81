import { screen, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { describe, expect, it } from "vitest";

import cluster from "@test/fixtures/cluster.json";
import instances from "@test/fixtures/instances.json";
import nodes from "@test/fixtures/nodes.json";
import scans from "@test/fixtures/scans.json";
import { renderAt } from "@test/render";
import { serve } from "@test/server";

import ClusterDetails from "./cluster-details";
import { outcomeOf } from "./health";
import { nodeStatus } from "./nodes";

const ALL = {
  "/clusters/cnv-east-1": { body: cluster },
  "/clusters/cnv-east-1/nodes": { body: nodes },
  "/instances": { body: instances },
  "/scans": { body: scans },
};

const at = (query = "") => renderAt(<ClusterDetails />, `/clusters/cnv-east-1${query}`, "/clusters/:name");

describe("one cluster", () => {
  it("shows its conditions, and what cannot be told as indeterminate", async () => {
    serve(ALL);
    at();
    const conditions = within(await screen.findByRole("grid", { name: "Conditions of health" }));
    const row = conditions.getByText("No critical alerts").closest("tr");
    expect(row).toHaveTextContent("Indeterminate");
    expect(row).toHaveTextContent("Nobody probes it");
  });

  it("opens its tabs from the address, worst nodes first", async () => {
    const asked = serve(ALL);
    const { address } = at("?tab=nodes");
    expect(await screen.findByText(nodes.data[0]?.node ?? "")).toBeInTheDocument();
    expect(asked).toContain("/clusters/cnv-east-1/nodes?sort=-cpu_pct");
    await userEvent.click(screen.getByRole("tab", { name: "Scans" }));
    expect(await screen.findByRole("grid", { name: "Scans of cnv-east-1" })).toBeInTheDocument();
    expect(address()).toBe("/clusters/cnv-east-1?tab=scans");
  });

  it("shows failing namespaces until somebody asks for others", async () => {
    const asked = serve(ALL);
    at("?tab=namespaces");
    expect(await screen.findByRole("link", { name: instances.data[0]?.namespace ?? "" })).toBeInTheDocument();
    expect(asked).toContain("/instances?sort=onset_at&state=failing&state=warning&cluster=cnv-east-1");
    expect(screen.getByText(/Failing and warning only/)).toBeInTheDocument();
  });

  it("says what is read of it, what is missing first", async () => {
    serve(ALL);
    at("?tab=coverage");
    const rows = await screen.findAllByRole("row");
    expect(rows.length).toBe(cluster.data.kinds.length + 1);
    const missing = cluster.data.kinds.filter((kind) => kind.state !== "fresh");
    for (const [index, row] of rows.slice(1, missing.length + 1).entries()) {
      expect(row, String(index)).not.toHaveTextContent("Fresh");
    }
  });

  it("says when there is no such cluster", async () => {
    serve({});
    at();
    expect(await screen.findByText(/There is no such thing/)).toBeInTheDocument();
  });
});

describe("how a part of a cluster stands", () => {
  it("is what its criterion came to", () => {
    expect(outcomeOf({ value: true, required: true })).toBe("pass");
    expect(outcomeOf({ value: false, required: true })).toBe("fail");
    expect(outcomeOf({ value: false, required: false })).toBe("warn");
    expect(outcomeOf({ value: null, required: true })).toBe("indeterminate");
  });

  it("is the worst of what a node says", () => {
    const node = { ready: true, unschedulable: false, pressure: [] };
    expect(nodeStatus(node).text).toBe("Ready");
    expect(nodeStatus({ ...node, unschedulable: true }).text).toBe("Cordoned");
    expect(nodeStatus({ ...node, unschedulable: true, pressure: ["DiskPressure"] }).text).toBe(
      "Under pressure",
    );
    expect(nodeStatus({ ...node, ready: false }).text).toBe("Not ready");
    expect(nodeStatus({ ...node, ready: null }).status).toBe("unknown");
  });
});
