import { act, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, describe, expect, it } from "vitest";

import { sessionExpired } from "@app/client/session";
import { liveState } from "@app/live";
import overview from "@test/fixtures/overview.json";
import search from "@test/fixtures/search.json";
import sources from "@test/fixtures/sources.json";
import { renderAt } from "@test/render";
import { problem, serve } from "@test/server";

import { freshness } from "./freshness-pill";
import { Layout } from "./layout";

const ME = {
  data: {
    subject: "demo",
    display_name: "Demo Operator",
    roles: ["operator"],
    lab_scope: ["LB1101", "LB1102"],
    demo: true,
    sign_out_url: null,
    event: { time_zone: "America/Phoenix", prefix: "techfest-2026" },
    features: {},
  },
  meta: overview.meta,
};

const ALL = {
  "/overview": { body: overview },
  "/sources": { body: sources },
  "/me": { body: ME },
  "/search": { body: search },
};

afterEach(() => {
  act(() => {
    sessionExpired.set(false);
    liveState.set("connecting");
  });
});

describe("the frame", () => {
  it("says loudly that the fleet is made up, how current it is, and who is signed in", async () => {
    serve(ALL);
    renderAt(<Layout />);
    expect(await screen.findByText("Simulated fleet")).toBeInTheDocument();
    expect(await screen.findByRole("link", { name: "1 of 15 sources failed" })).toHaveAttribute(
      "href",
      "/settings?tab=sources",
    );
    await userEvent.click(screen.getByRole("button", { name: /Signed in as Demo Operator, Operator/ }));
    expect(await screen.findByText("Sees 2 labs: LB1101, LB1102")).toBeInTheDocument();
  });

  it("shows event time, and keeps another choice in the address", async () => {
    serve(ALL);
    const { address } = renderAt(<Layout />);
    await userEvent.click(
      await screen.findByRole("button", { name: /Times are shown in Event time, America\/Phoenix/ }),
    );
    await userEvent.click(await screen.findByRole("option", { name: /^UTC/ }));
    expect(address()).toBe("/?tz=utc");
    await userEvent.keyboard("gc");
    expect(address()).toBe("/clusters?tz=utc");
  });

  it("finds everything that has a name", async () => {
    serve(ALL);
    const { address } = renderAt(<Layout />);
    await userEvent.keyboard("/");
    const box = screen.getByRole("combobox", { name: "Search everything" });
    expect(box).toHaveFocus();
    await userEvent.type(box, "cnv");
    await userEvent.click(await screen.findByRole("menuitem", { name: /cnv-east-1/ }));
    expect(address()).toBe("/clusters/cnv-east-1");
  });

  it("goes places from the keyboard, but not while somebody writes", async () => {
    serve(ALL);
    const { address } = renderAt(<Layout />);
    await userEvent.keyboard("gi");
    expect(address()).toBe("/incidents");
    await userEvent.type(screen.getByRole("combobox", { name: "Search everything" }), "gl");
    expect(address()).toBe("/incidents");
  });

  it("lists its shortcuts", async () => {
    serve(ALL);
    renderAt(<Layout />);
    await userEvent.keyboard("?");
    expect(await screen.findByRole("dialog", { name: /Keyboard shortcuts/ })).toBeInTheDocument();
    expect(screen.getByText("Go to Incidents")).toBeInTheDocument();
  });

  it("says that a session has expired, and keeps the page", async () => {
    const signedOut = problem(401, "unauthenticated", "Nobody is signed in");
    serve({ "/overview": signedOut, "/me": signedOut });
    const { address } = renderAt(<Layout />, "/labs?state=failing");
    expect(await screen.findByRole("button", { name: "Sign in again" })).toBeInTheDocument();
    expect(address()).toContain("/labs?state=failing");
  });

  it("says that live updates are paused", async () => {
    serve(ALL);
    renderAt(<Layout />);
    await screen.findByText("Simulated fleet");
    act(() => {
      liveState.set("paused");
    });
    expect(screen.getByText(/Live updates paused/)).toBeInTheDocument();
  });

  it("shows nothing to who may see nothing, and says what he needs", async () => {
    serve({ ...ALL, "/me": problem(403, "forbidden", "You may not", { required_role: "viewer" }) });
    renderAt(<Layout />);
    expect(await screen.findByRole("heading", { name: "You may not see this" })).toBeInTheDocument();
    expect(screen.getByText(/needs the role Viewer/)).toBeInTheDocument();
  });
});

describe("how current everything is", () => {
  const source = (name: string, state: "fresh" | "late" | "stale" | "failed" | "never" | "disabled") => ({
    source: name,
    state,
    age_s: 30,
  });

  it("is the worst source that is in use", () => {
    expect(freshness([source("cluster/a", "fresh"), source("aap", "disabled")]).text).toBe(
      "All sources fresh",
    );
    const bad = freshness([source("cluster/a", "late"), source("cluster/b", "stale"), source("c", "fresh")]);
    expect(bad).toEqual({ state: "stale", text: "1 of 3 sources stale", detail: "b" });
    expect(freshness([]).text).toBe("No sources");
  });
});
