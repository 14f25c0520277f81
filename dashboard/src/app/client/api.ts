import createClient, { type Middleware } from "openapi-fetch";

import { ApiProblem, problemOf, unreachable } from "./problem";
import type { paths } from "./schema";
import type { Answer, GetPath, PathParameters, Query } from "./types";

const client = createClient<paths>({
  baseUrl: window.location.origin,
  querySerializer: { array: { style: "form", explode: true } },
  // The browser keeps answers with their tags and asks whether they still hold: a 304 never gets here.
  fetch: (request: Request) => globalThis.fetch(request, { redirect: "manual", credentials: "same-origin" }),
});

const refuse: Middleware = {
  async onResponse({ response }) {
    const type = response.headers.get("content-type") ?? "";
    if (!response.ok || !type.includes("json")) throw await problemOf(response);
  },
  onError({ error }) {
    return error instanceof ApiProblem ? error : unreachable(error);
  },
};
client.use(refuse);

type Options<P extends GetPath> = {
  path?: PathParameters<P>;
  query?: Query<P>;
  signal?: AbortSignal;
};

/** The call, with its names only: what it takes and gives is said by [`get`]. */
type Call = (
  path: string,
  init: { params: { path?: unknown; query?: unknown }; signal?: AbortSignal },
) => Promise<{ data?: unknown }>;

/**
 * Reads one operation. Parameters that are undefined are left out.
 *
 * @throws ApiProblem whatever goes wrong, except when the caller gave up.
 */
export async function get<P extends GetPath>(path: P, options: Options<P> = {}): Promise<Answer<P>> {
  const { signal } = options;
  const call = client.GET as unknown as Call;
  try {
    const { data } = await call(path, { params: { path: options.path, query: options.query }, signal });
    return data as Answer<P>;
  } catch (error) {
    if (error instanceof ApiProblem || signal?.aborted) throw error;
    throw unreachable(error);
  }
}
