import { QueryCache, QueryClient } from "@tanstack/react-query";

import { ApiProblem } from "./problem";
import { sessionExpired } from "./session";

const TRIES = 2;

/** Asks again only what may pass by itself. */
export function shouldRetry(failures: number, error: unknown): boolean {
  return failures < TRIES && error instanceof ApiProblem && error.isPassing;
}

/** After 1 s, then 2 s, or when the server says. */
export function retryDelay(attempt: number, error: unknown): number {
  const told = error instanceof ApiProblem ? error.retryAfterS : null;
  return told !== null ? told * 1000 : 1000 * 2 ** attempt;
}

/** What is kept of the answers. Live updates say what to read again; nothing polls by itself. */
export function createQueryClient(): QueryClient {
  return new QueryClient({
    queryCache: new QueryCache({
      onError: (error) => {
        if (error instanceof ApiProblem && error.isSignedOut) sessionExpired.set(true);
      },
      onSuccess: () => {
        sessionExpired.set(false);
      },
    }),
    defaultOptions: {
      queries: {
        staleTime: 5_000,
        gcTime: 10 * 60_000,
        retry: shouldRetry,
        retryDelay,
        // Also without a network: the error says so, and the last answer stays on the page.
        networkMode: "always",
      },
    },
  });
}
