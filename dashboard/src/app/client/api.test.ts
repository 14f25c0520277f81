import { describe, expect, it, vi } from "vitest";

import { problem, serve } from "@test/server";

import { get } from "./api";
import { ApiProblem } from "./problem";
import { retryDelay, shouldRetry } from "./query-client";

async function failure(promise: Promise<unknown>): Promise<ApiProblem> {
  const error: unknown = await promise.then(
    () => null,
    (reason: unknown) => reason,
  );
  if (error instanceof ApiProblem) return error;
  throw new Error(`not a problem: ${String(error)}`);
}

const answer = (body: string, init: ResponseInit) => {
  vi.stubGlobal("fetch", () => Promise.resolve(new Response(body, init)));
};

describe("the client", () => {
  it("writes lists as repeated parameters and leaves out what is undefined", async () => {
    const asked = serve({ "/clusters": { body: { data: [], page: {}, meta: {} } } });
    await get("/api/v1/clusters", { query: { status: ["critical", "unknown"], q: undefined, limit: 5 } });
    expect(asked).toEqual(["/clusters?status=critical&status=unknown&limit=5"]);
  });

  it("escapes names in paths", async () => {
    const asked = serve({ "/pools/poolboy%2Fa": { body: { data: {}, meta: {} } } });
    await get("/api/v1/pools/{name}", { path: { name: "poolboy/a" } });
    expect(asked).toEqual(["/pools/poolboy%2Fa"]);
  });

  it("turns a problem into a typed one", async () => {
    serve({
      "/overview": problem(403, "forbidden", "You may not", { detail: "no role", required_role: "viewer" }),
    });
    const error = await failure(get("/api/v1/overview"));
    expect(error).toMatchObject({ status: 403, kind: "forbidden", title: "You may not", detail: "no role" });
    expect(error).toMatchObject({ requestId: "req-1", requiredRole: "viewer", isPassing: false });
  });

  it("takes a page of a sign-in proxy for an expired session", async () => {
    answer("<html>sign in</html>", { status: 200, headers: { "content-type": "text/html" } });
    expect((await failure(get("/api/v1/overview"))).isSignedOut).toBe(true);
  });

  it("tells a broken answer from a good one", async () => {
    answer("<html>bad gateway</html>", { status: 502, headers: { "content-type": "text/html" } });
    expect(await failure(get("/api/v1/overview"))).toMatchObject({ status: 502, isPassing: true });
  });

  it("says when no answer comes at all", async () => {
    vi.stubGlobal("fetch", () => Promise.reject(new TypeError("connection refused")));
    const error = await failure(get("/api/v1/overview"));
    expect(error).toMatchObject({ status: 0, kind: "unreachable", detail: "connection refused" });
  });

  it("tries again only what may pass, when the server says", () => {
    const busy = new ApiProblem({ status: 429, retry_after_s: 7 });
    expect([shouldRetry(0, busy), shouldRetry(2, busy)]).toEqual([true, false]);
    expect(shouldRetry(0, new ApiProblem({ status: 404 }))).toBe(false);
    expect(retryDelay(0, busy)).toBe(7000);
    expect(retryDelay(1, new ApiProblem({ status: 503 }))).toBe(2000);
  });
});
