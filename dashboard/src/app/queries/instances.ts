import { keepPreviousData, useQuery, type UseQueryResult } from "@tanstack/react-query";

import { get } from "@app/client/api";
import type { Answer, Data, Query, Row } from "@app/client/types";

export const INSTANCES = "instances";

type List = "/api/v1/instances";
type One = "/api/v1/instances/{id}";
type Why = "/api/v1/instances/{id}/why";
type Evidence = "/api/v1/instances/{id}/evidence";

export type InstanceRow = Row<List>;
export type InstanceDetail = Data<One>;
export type StageRow = InstanceDetail["stages"][number];
export type Criterion = StageRow["criteria"][number];
export type WhyAnswer = Data<Why>;
export type EvidenceRow = Row<Evidence>;

export function useInstances(query: Query<List>): UseQueryResult<Answer<List>> {
  return useQuery({
    queryKey: [INSTANCES, "list", query],
    queryFn: ({ signal }) => get("/api/v1/instances", { query, signal }),
    placeholderData: keepPreviousData,
  });
}

export function useInstance(id: string): UseQueryResult<Answer<One>> {
  return useQuery({
    queryKey: [INSTANCES, "one", id],
    queryFn: ({ signal }) => get("/api/v1/instances/{id}", { path: { id }, signal }),
  });
}

/** The whole chain behind an instance, and what is not known of it. */
export function useInstanceWhy(id: string): UseQueryResult<Answer<Why>> {
  return useQuery({
    queryKey: [INSTANCES, "why", id],
    queryFn: ({ signal }) => get("/api/v1/instances/{id}/why", { path: { id }, signal }),
  });
}

export function useInstanceEvidence(id: string): UseQueryResult<Answer<Evidence>> {
  return useQuery({
    queryKey: [INSTANCES, "evidence", id],
    queryFn: ({ signal }) => get("/api/v1/instances/{id}/evidence", { path: { id }, signal }),
  });
}
