import type { Schemas } from "./types";

/** What went wrong, as the server tells it (RFC 9457), or as the browser found it when no answer came. */
export class ApiProblem extends Error {
  readonly status: number;
  /** The last part of the problem's type: `not-found`, `forbidden`, … */
  readonly kind: string;
  readonly title: string;
  readonly detail: string;
  readonly requestId: string | null;
  readonly requiredRole: string | null;
  readonly retryAfterS: number | null;
  readonly faults: readonly Schemas["Fault"][];

  constructor(problem: Partial<Schemas["Problem"]> & { status: number; required_role?: string }) {
    const title = problem.title ?? "The answer cannot be read";
    super(title);
    this.name = "ApiProblem";
    this.status = problem.status;
    this.kind = (problem.type ?? "unknown").split("/").at(-1) ?? "unknown";
    this.title = title;
    this.detail = problem.detail ?? "";
    this.requestId = problem.request_id ?? null;
    this.requiredRole = problem.required_role ?? null;
    this.retryAfterS = problem.retry_after_s ?? null;
    this.faults = problem.errors ?? [];
  }

  /** Nobody is signed in any more. */
  get isSignedOut(): boolean {
    return this.status === 401;
  }

  /** Asking again may help. */
  get isPassing(): boolean {
    return this.status === 0 || this.status === 429 || this.status >= 500;
  }
}

const SIGNED_OUT = { status: 401, type: "/problems/unauthenticated", title: "Your session has expired" };

/** No answer came: the network, or the server, is away. */
export function unreachable(cause: unknown): ApiProblem {
  const detail = cause instanceof Error ? cause.message : "";
  return new ApiProblem({
    status: 0,
    type: "/problems/unreachable",
    title: "StarGate cannot be reached",
    detail,
  });
}

/** The problem in an answer that is none of the expected ones. */
export async function problemOf(response: Response): Promise<ApiProblem> {
  const requestId = response.headers.get("x-request-id") ?? undefined;
  // A proxy that wants somebody to sign in sends him elsewhere instead of refusing.
  if (response.type === "opaqueredirect" || (response.status >= 300 && response.status < 400)) {
    return new ApiProblem(SIGNED_OUT);
  }
  const type = response.headers.get("content-type") ?? "";
  if (type.includes("json")) {
    try {
      const body = (await response.json()) as Partial<Schemas["Problem"]>;
      return new ApiProblem({ request_id: requestId, ...body, status: response.status });
    } catch {
      // Falls through: the body ends early or is no JSON.
    }
  }
  if (response.ok && type.includes("html")) return new ApiProblem(SIGNED_OUT);
  return new ApiProblem({
    status: response.ok ? 502 : response.status,
    title: response.status === 401 ? SIGNED_OUT.title : "The answer cannot be read",
    detail: `status ${response.status}, ${type || "no content type"}`,
    request_id: requestId,
  });
}
