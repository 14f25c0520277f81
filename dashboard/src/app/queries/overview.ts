import { useQuery, type UseQueryResult } from "@tanstack/react-query";

import { get } from "@app/client/api";
import type { Answer } from "@app/client/types";

/** The root of the keys: live updates of a topic read again whatever begins with it (see live.ts). */
export const OVERVIEW = "overview";

export type OverviewAnswer = Answer<"/api/v1/overview">;

/** Everything of the first view. The masthead and the overview share this one request. */
export function useOverview(): UseQueryResult<OverviewAnswer> {
  return useQuery({
    queryKey: [OVERVIEW],
    queryFn: ({ signal }) => get("/api/v1/overview", { signal }),
  });
}
