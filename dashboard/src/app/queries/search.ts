import { keepPreviousData, useQuery, type UseQueryResult } from "@tanstack/react-query";

import { get } from "@app/client/api";
import type { Answer } from "@app/client/types";

export const SEARCH = "search";

/** The API does not search for less. */
export const SHORTEST = 2;

export function useSearch(q: string): UseQueryResult<Answer<"/api/v1/search">> {
  return useQuery({
    queryKey: [SEARCH, q],
    queryFn: ({ signal }) => get("/api/v1/search", { query: { q }, signal }),
    enabled: q.length >= SHORTEST,
    placeholderData: keepPreviousData,
  });
}
