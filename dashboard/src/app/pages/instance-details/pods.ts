/** What a pod's evidence says, in the words of `oc get pods`. */
export type PodSummary = {
  name: string;
  node: string | null;
  /** Whether it is ready; null when the evidence does not say. */
  ready: boolean | null;
  /** The first reason why it is not, else its phase. */
  status: string;
  /** What goes with the reason. */
  message: string | null;
  restarts: number;
  createdAt: string | null;
};

/** Every pod of an evidence document, those that are not ready first. Finished pods of Jobs count as well off. */
export function podsOf(document: readonly unknown[]): PodSummary[] {
  return document.map(podOf).sort((a, b) => rank(a) - rank(b) || a.name.localeCompare(b.name));
}

/** Whether somebody should look at the pod. */
export function isTroubled(pod: PodSummary): boolean {
  return pod.ready !== true && pod.status !== "Succeeded";
}

function rank(pod: PodSummary): number {
  return isTroubled(pod) ? 0 : 1;
}

function podOf(pod: unknown): PodSummary {
  const conditions = list(get(pod, "status", "conditions"));
  const containers = [
    ...list(get(pod, "status", "initContainerStatuses")),
    ...list(get(pod, "status", "containerStatuses")),
  ];
  const ready = conditions.find((condition) => get(condition, "type") === "Ready");
  const trouble = containers.map(stateOf).find((state) => state !== null) ?? unscheduled(conditions);
  return {
    name: text(get(pod, "metadata", "name")) ?? "unnamed",
    node: text(get(pod, "spec", "nodeName")),
    ready: ready === undefined ? null : get(ready, "status") === "True",
    status: trouble?.reason ?? text(get(pod, "status", "phase")) ?? "Unknown",
    message: trouble?.message ?? null,
    restarts: containers.reduce<number>(
      (sum, container) => sum + (number(get(container, "restartCount")) ?? 0),
      0,
    ),
    createdAt: text(get(pod, "metadata", "creationTimestamp")),
  };
}

type Trouble = { reason: string; message: string | null };

/** Why a container does not run; null when it runs or ended well. */
function stateOf(container: unknown): Trouble | null {
  for (const state of ["waiting", "terminated"]) {
    const reason = text(get(container, "state", state, "reason"));
    if (reason !== null && reason !== "Completed")
      return { reason, message: text(get(container, "state", state, "message")) };
  }
  return null;
}

function unscheduled(conditions: readonly unknown[]): Trouble | null {
  const scheduled = conditions.find((condition) => get(condition, "type") === "PodScheduled");
  if (scheduled === undefined || get(scheduled, "status") !== "False") return null;
  return {
    reason: text(get(scheduled, "reason")) ?? "Unscheduled",
    message: text(get(scheduled, "message")),
  };
}

/** The value at a path of an object of unknown shape. */
export function get(value: unknown, ...path: string[]): unknown {
  let here = value;
  for (const key of path) {
    if (typeof here !== "object" || here === null) return undefined;
    here = (here as Readonly<Record<string, unknown>>)[key];
  }
  return here;
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function text(value: unknown): string | null {
  return typeof value === "string" && value !== "" ? value : null;
}

function number(value: unknown): number | null {
  return typeof value === "number" ? value : null;
}
