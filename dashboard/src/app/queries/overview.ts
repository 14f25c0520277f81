import { useQuery, type UseQueryResult } from "@tanstack/react-query";

import { get } from "@app/client/api";
import type { Answer } from "@app/client/types";

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

const MOST_SESSIONS = 8;
const MOST_INCIDENTS = 8;
const MOST_ADVICE = 3;

/** The sessions that run, and those that begin next. */
export function useNextSessions(): UseQueryResult<Answer<"/api/v1/sessions">> {
  return useQuery({
    queryKey: ["sessions", "next"],
    queryFn: ({ signal }) =>
      get("/api/v1/sessions", {
        query: { phase: ["running", "upcoming"], sort: "starts_at", limit: MOST_SESSIONS },
        signal,
      }),
  });
}

/** Open incidents that no other covers, most urgent first. */
export function useAttention(): UseQueryResult<Answer<"/api/v1/overview/attention">> {
  return useQuery({
    queryKey: ["incidents", "attention"],
    queryFn: ({ signal }) => get("/api/v1/overview/attention", { query: { limit: MOST_INCIDENTS }, signal }),
  });
}

/** The most urgent advice. */
export function useTopAdvice(): UseQueryResult<Answer<"/api/v1/recommendations">> {
  return useQuery({
    queryKey: ["recommendations", "top"],
    queryFn: ({ signal }) =>
      get("/api/v1/recommendations", {
        query: { state: ["issued"], sort: "urgency", limit: MOST_ADVICE },
        signal,
      }),
  });
}

/** Every source, the worst of them told of by the masthead. */
export function useEverySource(): UseQueryResult<Answer<"/api/v1/sources">> {
  return useQuery({
    queryKey: ["sources", "every"],
    queryFn: ({ signal }) => get("/api/v1/sources", { query: { limit: 200 }, signal }),
  });
}
