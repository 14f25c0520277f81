import { vi } from "vitest";

type Reply = { status?: number; body: unknown } | ((url: URL) => { status?: number; body: unknown });

/** The addresses that were asked for, oldest first: path and query. */
export type Asked = string[];

/**
 * Stands in for the query function at the edge of the network. Paths are without `/api/v1` and without the query. Any
 * other is a 404, as the real one says it.
 */
export function serve(replies: Record<string, Reply>): Asked {
  const asked: Asked = [];
  vi.stubGlobal("fetch", (request: Request) => {
    const url = new URL(request.url);
    const path = url.pathname.replace(/^\/api\/v1/, "");
    asked.push(`${path}${url.search}`);
    const reply = replies[path];
    const { status = 200, body } =
      reply === undefined
        ? problem(404, "not-found", "There is no such thing")
        : typeof reply === "function"
          ? reply(url)
          : reply;
    const type = status < 400 ? "application/json" : "application/problem+json";
    return Promise.resolve(new Response(JSON.stringify(body), { status, headers: { "content-type": type } }));
  });
  return asked;
}

/** A problem as the query function writes it. */
export function problem(
  status: number,
  kind: string,
  title: string,
  more: object = {},
): { status: number; body: unknown } {
  const body = {
    type: `/problems/${kind}`,
    title,
    status,
    detail: "",
    instance: "/",
    request_id: "req-1",
    ...more,
  };
  return { status, body };
}
