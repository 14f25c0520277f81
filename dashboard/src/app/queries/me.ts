import { useQuery, type UseQueryResult } from "@tanstack/react-query";

import { get } from "@app/client/api";
import { ApiProblem } from "@app/client/problem";
import type { GetPath, Meta } from "@app/client/types";

export const ME = "me";

/** Who asks, and what he may see. */
export type Me = {
  subject: string;
  display_name: string;
  roles: string[];
  /** The labs that he sees; null for all. */
  lab_scope: string[] | null;
  demo: boolean;
  sign_out_url: string | null;
  event: { time_zone: string | null; prefix: string | null };
  features: Record<string, boolean>;
};

type MeAnswer = { data: Me; meta: Meta };

/** Read once a visit; a new sign-in loads the page anew. */
export function useMe(): UseQueryResult<MeAnswer | null> {
  return useQuery({
    queryKey: [ME],
    queryFn: async ({ signal }) => {
      try {
        return (await get("/api/v1/me" as GetPath, { signal })) as unknown as MeAnswer;
      } catch (error) {
        if (error instanceof ApiProblem && error.status === 404) return null;
        throw error;
      }
    },
    staleTime: Infinity,
  });
}
