import { useQuery, type UseQueryResult } from "@tanstack/react-query";

import { get } from "@app/client/api";
import type { Answer } from "@app/client/types";

export const KNOWLEDGE = "knowledge";

/** Texts change with a release only. */
const FOR_LONG = 10 * 60_000;

/** The eleven stages: what each looks for and checks. */
export function useStages(): UseQueryResult<Answer<"/api/v1/stages">> {
  return useQuery({
    queryKey: [KNOWLEDGE, "stages"],
    queryFn: ({ signal }) => get("/api/v1/stages", { signal }),
    staleTime: FOR_LONG,
  });
}

/** What a failure class means and what looks into it; asks nothing without a class. */
export function useFailureClass(id: string | null): UseQueryResult<Answer<"/api/v1/failure-classes/{id}">> {
  return useQuery({
    queryKey: [KNOWLEDGE, "class", id],
    queryFn: ({ signal }) => get("/api/v1/failure-classes/{id}", { path: { id: id ?? "" }, signal }),
    enabled: id !== null,
    staleTime: FOR_LONG,
  });
}

/** The classes that instances fail with now, most first. */
export function useActiveClasses(): UseQueryResult<Answer<"/api/v1/failure-classes">> {
  return useQuery({
    queryKey: [KNOWLEDGE, "active"],
    queryFn: ({ signal }) =>
      get("/api/v1/failure-classes", { query: { active: true, sort: "-instances,id", limit: 200 }, signal }),
  });
}
