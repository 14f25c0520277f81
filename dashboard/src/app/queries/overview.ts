import { useQuery, type UseQueryResult } from "@tanstack/react-query";

import { get } from "@app/client/api";
import type { Answer, Meta, Row } from "@app/client/types";
import type { Loadable } from "@app/components/loaded";

/** The root of the keys: live updates of a topic read again whatever begins with it (see live.ts). */
export const OVERVIEW = "overview";

export type OverviewAnswer = Answer<"/api/v1/overview">;

/** How the fleet stands. The masthead and the overview share this one request. */
export function useOverview(): UseQueryResult<OverviewAnswer> {
  return useQuery({
    queryKey: [OVERVIEW],
    queryFn: ({ signal }) => get("/api/v1/overview", { signal }),
  });
}

/** What the first view shows besides. A server that tells it with the rest saves a request for each. */
type Parts = {
  next_sessions: Row<"/api/v1/sessions">[];
  attention: Row<"/api/v1/overview/attention">[];
  recommendations: { top: Row<"/api/v1/recommendations">[] };
  sources: Pick<
    Row<"/api/v1/sources">,
    "source" | "state" | "age_s" | "last_success_at" | "last_error" | "coverage"
  >[];
};

export type Part<R> = Loadable<{ data: R[]; meta: Meta }>;

/** A part of the overview; asked for by itself only when the overview came without it. */
function usePart<R>(
  key: readonly string[],
  take: (parts: Partial<Parts>) => R[] | undefined,
  ask: (signal: AbortSignal) => Promise<{ data: R[]; meta: Meta }>,
): Part<R> {
  const whole = useOverview();
  const answer = whole.data;
  const rows = answer === undefined ? undefined : take(answer.data as Partial<Parts>);
  const alone = useQuery({
    queryKey: key,
    queryFn: ({ signal }) => ask(signal),
    // An overview that cannot be read does not take its parts with it.
    enabled: rows === undefined && !whole.isPending,
  });
  if (answer === undefined || rows === undefined) return alone;
  const { error, dataUpdatedAt, isPlaceholderData, refetch } = whole;
  return { data: { data: rows, meta: answer.meta }, error, dataUpdatedAt, isPlaceholderData, refetch };
}

const MOST_SESSIONS = 8;
const MOST_INCIDENTS = 8;
const MOST_ADVICE = 3;

/** The sessions that run, and those that begin next. */
export function useNextSessions(): Part<Parts["next_sessions"][number]> {
  return usePart(
    ["sessions", "next"],
    (parts) => parts.next_sessions,
    (signal) =>
      get("/api/v1/sessions", {
        query: { phase: ["running", "upcoming"], sort: "starts_at", limit: MOST_SESSIONS },
        signal,
      }),
  );
}

/** Open incidents that no other covers, most urgent first. */
export function useAttention(): Part<Parts["attention"][number]> {
  return usePart(
    ["incidents", "attention"],
    (parts) => parts.attention?.slice(0, MOST_INCIDENTS),
    (signal) => get("/api/v1/overview/attention", { query: { limit: MOST_INCIDENTS }, signal }),
  );
}

/** The most urgent advice. */
export function useTopAdvice(): Part<Parts["recommendations"]["top"][number]> {
  return usePart(
    ["recommendations", "top"],
    (parts) => parts.recommendations?.top,
    (signal) =>
      get("/api/v1/recommendations", {
        query: { state: ["issued"], sort: "urgency", limit: MOST_ADVICE },
        signal,
      }),
  );
}

/** Every source that anything here rests on. */
export function useEverySource(): Part<Parts["sources"][number]> {
  return usePart(
    ["sources", "every"],
    (parts) => parts.sources,
    (signal) => get("/api/v1/sources", { query: { limit: 200 }, signal }),
  );
}
