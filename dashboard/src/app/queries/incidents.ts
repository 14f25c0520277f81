import { keepPreviousData, useInfiniteQuery, useQuery, type UseQueryResult } from "@tanstack/react-query";

import { get } from "@app/client/api";
import type { Answer, Data, Query, Row } from "@app/client/types";

export const INCIDENTS = "incidents";

type List = "/api/v1/incidents";
type One = "/api/v1/incidents/{id}";
type Groups = "/api/v1/overview/groups";

export type IncidentRow = Row<List>;
export type IncidentDetail = Data<One>;
export type IncidentGroup = Data<Groups>["groups"][number];

export function useIncidents(query: Query<List>): UseQueryResult<Answer<List>> {
  return useQuery({
    queryKey: [INCIDENTS, "list", query],
    queryFn: ({ signal }) => get("/api/v1/incidents", { query, signal }),
    placeholderData: keepPreviousData,
  });
}

/** Incidents page after page, newest first. */
export function useIncidentPages(query: Query<List>) {
  return useInfiniteQuery({
    queryKey: [INCIDENTS, "pages", query],
    queryFn: ({ signal, pageParam }) =>
      get("/api/v1/incidents", { query: { ...query, cursor: pageParam }, signal }),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (last) => last.page.next_cursor ?? undefined,
  });
}

export function useIncident(id: string): UseQueryResult<Answer<One>> {
  return useQuery({
    queryKey: [INCIDENTS, "one", id],
    queryFn: ({ signal }) => get("/api/v1/incidents/{id}", { path: { id }, signal }),
  });
}

export function useIncidentGroups(query: Query<Groups>): UseQueryResult<Answer<Groups>> {
  return useQuery({
    queryKey: [INCIDENTS, "groups", query],
    queryFn: ({ signal }) => get("/api/v1/overview/groups", { query, signal }),
    placeholderData: keepPreviousData,
  });
}
