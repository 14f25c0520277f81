import { keepPreviousData, useInfiniteQuery, useQuery, type UseQueryResult } from "@tanstack/react-query";

import { get } from "@app/client/api";
import type { Answer, Data, Query, Row } from "@app/client/types";

export const LABS = "labs";

type List = "/api/v1/labs";
type One = "/api/v1/labs/{code}";
type Pipeline = "/api/v1/labs/{code}/pipeline";
type Sessions = "/api/v1/labs/{code}/sessions";
type Violations = "/api/v1/constraints/violations";

export type LabRow = Row<List>;
export type LabDetail = Data<One>;
export type PipelineStage = Row<Pipeline>;
export type LabSession = Row<Sessions>;
export type Violation = Row<Violations>;
export type Transition = Row<"/api/v1/transitions">;

export function useLabs(query: Query<List>): UseQueryResult<Answer<List>> {
  return useQuery({
    queryKey: [LABS, "list", query],
    queryFn: ({ signal }) => get("/api/v1/labs", { query, signal }),
    placeholderData: keepPreviousData,
  });
}

export function useLab(code: string): UseQueryResult<Answer<One>> {
  return useQuery({
    queryKey: [LABS, "one", code],
    queryFn: ({ signal }) => get("/api/v1/labs/{code}", { path: { code }, signal }),
  });
}

export function useLabPipeline(code: string, query: Query<Pipeline>): UseQueryResult<Answer<Pipeline>> {
  return useQuery({
    queryKey: [LABS, "pipeline", code, query],
    queryFn: ({ signal }) => get("/api/v1/labs/{code}/pipeline", { path: { code }, query, signal }),
    placeholderData: keepPreviousData,
  });
}

export function useLabSessions(code: string, query: Query<Sessions>): UseQueryResult<Answer<Sessions>> {
  return useQuery({
    queryKey: [LABS, "sessions", code, query],
    queryFn: ({ signal }) => get("/api/v1/labs/{code}/sessions", { path: { code }, query, signal }),
    placeholderData: keepPreviousData,
  });
}

export function useViolations(query: Query<Violations>): UseQueryResult<Answer<Violations>> {
  return useQuery({
    queryKey: [LABS, "violations", query],
    queryFn: ({ signal }) => get("/api/v1/constraints/violations", { query, signal }),
    placeholderData: keepPreviousData,
  });
}

/** Confirmed changes, newest first, page after page. */
export function useTransitions(query: Query<"/api/v1/transitions">) {
  return useInfiniteQuery({
    queryKey: ["transitions", "pages", query],
    queryFn: ({ signal, pageParam }) =>
      get("/api/v1/transitions", { query: { ...query, cursor: pageParam }, signal }),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (last) => last.page.next_cursor ?? undefined,
  });
}
