import type { QueryClient } from "@tanstack/react-query";
import { useEffect } from "react";

import { createStore, useStore } from "@app/hooks/store";

/** `paused`: nothing comes by itself, everything on the page is read again every 30 s. */
export type LiveState = "connecting" | "live" | "paused";

/** Failures in a row before the stream is given up. */
export const MOST_FAILURES = 3;
/** Without a connection for so long, updates are paused, however few failures there were. */
export const LONGEST_SILENCE_MS = 60_000;
/** How often the page is read again, and the stream tried again, while updates are paused. */
export const POLL_MS = 30_000;
/** The server ends a stream after 270 s. One that is older and still open hangs: nobody is at its other end. */
export const LONGEST_STREAM_MS = 300_000;
/** Changes of one kind within so long are one. */
const SETTLE_MS = 1_000;
const CHECK_MS = 5_000;

const STREAM = "/api/v1/stream";

/** What a change of a read model makes out of date: the roots of query keys. Others name their own root. */
const TOPICS: Record<string, readonly string[]> = {
  clusters: ["clusters", "overview"],
  incidents: ["incidents", "instances", "labs", "overview"],
  instances: ["instances", "labs", "clusters", "overview"],
  scans: ["scans", "clusters"],
  sources: ["sources", "overview"],
  transitions: ["transitions", "instances", "trends"],
  pools: ["pools", "provisioning", "overview"],
  subjects: ["subjects", "provisioning", "instances", "overview"],
  jobs: ["jobs", "provisioning"],
  provisioning: ["provisioning", "subjects", "pools", "jobs", "overview"],
  sessions: ["sessions", "labs", "overview"],
  recommendations: ["recommendations", "overview"],
};

/** The roots that a change names; null for all of them. */
export function rootsOf(type: string): readonly string[] | null {
  if (type === "reset") return null;
  const topic = type === "source.changed" ? "sources" : (type.split(".")[0] ?? "");
  return TOPICS[topic] ?? [topic, "overview"];
}

/** Every kind of event that the server names; `message` is one without a name. */
const EVENTS: readonly string[] = [
  "message",
  "reset",
  "source.changed",
  ...Object.keys(TOPICS).map((topic) => `${topic}.updated`),
];

type Stream = Pick<EventSource, "readyState" | "addEventListener" | "close">;

/** What the live updates need of the world. */
export type World = {
  open: (url: string) => Stream;
  now: () => number;
  invalidate: (roots: readonly string[] | null) => void;
};

const OPEN = 1;

export const liveState = createStore<LiveState>("connecting");

/** One stream of changes for the whole tab. The browser resumes it; this decides when it no longer helps. */
export class LiveUpdates {
  #stream: Stream | undefined;
  #failures = 0;
  #connectedAt: number;
  #triedAt: number;
  #polledAt: number;
  #waiting = new Set<string>();
  #settle: ReturnType<typeof setTimeout> | undefined;
  #check: ReturnType<typeof setInterval> | undefined;
  #opened = false;
  readonly #world: World;

  constructor(world: World) {
    this.#world = world;
    this.#connectedAt = this.#triedAt = this.#polledAt = world.now();
  }

  start(): void {
    this.#connectedAt = this.#polledAt = this.#world.now();
    liveState.set("connecting");
    this.#connect();
    this.#check = setInterval(() => {
      this.#look();
    }, CHECK_MS);
  }

  stop(): void {
    clearInterval(this.#check);
    clearTimeout(this.#settle);
    this.#stream?.close();
    this.#stream = undefined;
  }

  /** The network is back, or somebody looks at the page again: no need to wait. */
  retry(): void {
    if (liveState.get() !== "live") this.#connect();
  }

  #connect(): void {
    this.#stream?.close();
    this.#triedAt = this.#world.now();
    const stream = this.#world.open(STREAM);
    this.#stream = stream;
    stream.addEventListener("open", () => {
      this.#failures = 0;
      this.#connectedAt = this.#world.now();
      liveState.set("live");
      // Between two streams something may have changed that nobody told of. The first has nothing to catch up with.
      if (this.#opened) this.#world.invalidate(null);
      this.#opened = true;
    });
    stream.addEventListener("error", () => {
      // A stream that ended is tried again by the browser; one that was refused is not.
      this.#failures += 1;
      if (this.#failures >= MOST_FAILURES) this.#pause();
    });
    for (const name of EVENTS) {
      stream.addEventListener(name, (event: Event) => {
        this.#heard(event);
      });
    }
  }

  #heard(event: Event): void {
    const type = event.type === "message" ? typeIn((event as MessageEvent<unknown>).data) : event.type;
    const roots = rootsOf(type);
    if (roots === null) {
      this.#world.invalidate(null);
      return;
    }
    roots.forEach((root) => this.#waiting.add(root));
    this.#settle ??= setTimeout(() => {
      this.#settle = undefined;
      const changed = [...this.#waiting];
      this.#waiting.clear();
      this.#world.invalidate(changed);
    }, SETTLE_MS);
  }

  #look(): void {
    const now = this.#world.now();
    const isOpen = this.#stream?.readyState === OPEN;
    if (isOpen && now - this.#connectedAt > LONGEST_STREAM_MS) {
      this.#failures += 1;
      this.#connect();
      return;
    }
    // A stream that was open until just now counts as heard of.
    const lastOpen = isOpen ? now : Math.max(this.#connectedAt, this.#lastSeenOpen);
    if (isOpen) this.#lastSeenOpen = now;
    if (!isOpen && now - lastOpen > LONGEST_SILENCE_MS) this.#pause();
    if (liveState.get() !== "paused") {
      // Refused outright, and not often enough yet to give up.
      if (this.#stream?.readyState === 2 && now - this.#triedAt > CHECK_MS) this.#connect();
      return;
    }
    if (now - this.#polledAt >= POLL_MS) {
      this.#polledAt = now;
      this.#world.invalidate(null);
      this.#connect();
    }
  }

  #lastSeenOpen = 0;

  #pause(): void {
    if (liveState.get() === "paused") return;
    liveState.set("paused");
    this.#polledAt = this.#world.now();
  }
}

function typeIn(data: unknown): string {
  try {
    const change: unknown = typeof data === "string" ? JSON.parse(data) : null;
    const type = typeof change === "object" && change !== null && "type" in change ? change.type : null;
    return typeof type === "string" ? type : "reset";
  } catch {
    return "reset";
  }
}

/** Reads again what is on the page and out of date; answers that did not change cost a 304. */
export function invalidate(queries: QueryClient, roots: readonly string[] | null): void {
  const predicate = ({ queryKey }: { queryKey: readonly unknown[] }) =>
    roots === null || roots.includes(String(queryKey[0]));
  void queries.invalidateQueries({ predicate, refetchType: "active" }, { cancelRefetch: false });
}

/** Keeps the queries of this tab up to date. To be used once, at the top. */
export function useLiveUpdates(queries: QueryClient): void {
  useEffect(() => {
    const updates = new LiveUpdates({
      open: (url) => new EventSource(url),
      now: () => Date.now(),
      invalidate: (roots) => {
        invalidate(queries, roots);
      },
    });
    const retry = () => {
      updates.retry();
    };
    updates.start();
    window.addEventListener("online", retry);
    return () => {
      window.removeEventListener("online", retry);
      updates.stop();
    };
  }, [queries]);
}

export function useLiveState(): LiveState {
  return useStore(liveState);
}
