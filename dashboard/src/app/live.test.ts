import { QueryClient } from "@tanstack/react-query";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import {
  invalidate,
  liveState,
  LiveUpdates,
  LONGEST_SILENCE_MS,
  LONGEST_STREAM_MS,
  POLL_MS,
  rootsOf,
} from "./live";

/** A stream that does what the test says. */
class FakeStream extends EventTarget {
  readyState = 0;
  open() {
    this.readyState = 1;
    this.dispatchEvent(new Event("open"));
  }
  /** The connection broke; the browser tries again, unless the server refused. */
  fail(refused = false) {
    this.readyState = refused ? 2 : 0;
    this.dispatchEvent(new Event("error"));
  }
  close() {
    this.readyState = 2;
  }
}

let streams: FakeStream[];
let read: (readonly string[] | null)[];
let updates: LiveUpdates;

const stream = () => {
  const last = streams.at(-1);
  if (last === undefined) throw new Error("no stream was opened");
  return last;
};

beforeEach(() => {
  vi.useFakeTimers();
  streams = [];
  read = [];
  updates = new LiveUpdates({
    open: () => {
      const next = new FakeStream();
      streams.push(next);
      return next as unknown as EventSource;
    },
    now: () => Date.now(),
    invalidate: (roots) => read.push(roots),
  });
  updates.start();
});

afterEach(() => {
  updates.stop();
});

describe("live updates", () => {
  it("read again what a change names, once for many changes", () => {
    stream().open();
    stream().dispatchEvent(new Event("incidents.updated"));
    stream().dispatchEvent(new Event("incidents.updated"));
    stream().dispatchEvent(new Event("source.changed"));
    expect(read).toEqual([]);
    vi.advanceTimersByTime(1_000);
    expect(read).toEqual([["incidents", "instances", "labs", "overview", "sources"]]);
  });

  it("read everything again after a reset, and after a connection that was lost", () => {
    stream().open();
    stream().dispatchEvent(new Event("reset"));
    expect(read).toEqual([null]);
    stream().fail();
    stream().open();
    expect(read).toEqual([null, null]);
    expect(liveState.get()).toBe("live");
  });

  it("pause after three failures, poll, and come back by themselves", () => {
    stream().open();
    stream().fail();
    stream().fail();
    expect(liveState.get()).toBe("live");
    stream().fail();
    expect(liveState.get()).toBe("paused");
    vi.advanceTimersByTime(POLL_MS + 5_000);
    expect(read).toEqual([null]);
    expect(streams).toHaveLength(2);
    stream().open();
    expect(liveState.get()).toBe("live");
  });

  it("pause when no connection comes about for a minute", () => {
    expect(liveState.get()).toBe("connecting");
    vi.advanceTimersByTime(LONGEST_SILENCE_MS);
    expect(liveState.get()).toBe("connecting");
    vi.advanceTimersByTime(5_000);
    expect(liveState.get()).toBe("paused");
  });

  it("take a quiet stream for alive, and one that outlives the server's longest for dead", () => {
    stream().open();
    vi.advanceTimersByTime(LONGEST_STREAM_MS - 5_000);
    expect(liveState.get()).toBe("live");
    expect(streams).toHaveLength(1);
    vi.advanceTimersByTime(10_000);
    expect(streams).toHaveLength(2);
  });

  it("try a refused stream again, for the browser does not", () => {
    stream().fail(true);
    vi.advanceTimersByTime(10_000);
    expect(streams).toHaveLength(2);
  });

  it("try at once when the network is back", () => {
    stream().fail();
    stream().fail();
    stream().fail();
    updates.retry();
    expect(streams).toHaveLength(2);
  });
});

describe("what a change makes out of date", () => {
  it("is everything after a reset, and its own root when the topic is new", () => {
    expect(rootsOf("reset")).toBeNull();
    expect(rootsOf("clusters.updated")).toContain("clusters");
    expect(rootsOf("forecasts.updated")).toEqual(["forecasts", "overview"]);
  });

  it("is marked by the root of the keys", () => {
    const queries = new QueryClient();
    queries.setQueryData(["clusters", "list", {}], 1);
    queries.setQueryData(["labs", "list", {}], 1);
    invalidate(queries, ["clusters"]);
    expect(queries.getQueryState(["clusters", "list", {}])?.isInvalidated).toBe(true);
    expect(queries.getQueryState(["labs", "list", {}])?.isInvalidated).toBe(false);
  });
});
