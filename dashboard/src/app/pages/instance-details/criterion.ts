import type { Criterion, StageRow } from "@app/queries/instances";

/** What a criterion came to, in the words of outcomes. One that is optional warns and never fails. */
export function resultOf(criterion: Pick<Criterion, "value" | "required">): string {
  if (criterion.value === null || criterion.value === undefined) return "indeterminate";
  if (criterion.value !== false) return "pass";
  return criterion.required ? "fail" : "warn";
}

const URGENCY = ["fail", "warn", "indeterminate"];

/** The stage to look at first: of the worst outcome the first in the pipeline; none when all pass. */
export function firstTrouble(stages: readonly StageRow[]): StageRow | null {
  for (const outcome of URGENCY) {
    const found = stages.find((stage) => stage.outcome === outcome);
    if (found !== undefined) return found;
  }
  return null;
}

/** Everything that fails, each object once, with all that is said of it. */
export function failingMembers(
  stages: readonly StageRow[],
): { kind: string; name: string; reasons: string[] }[] {
  const found = new Map<string, { kind: string; name: string; reasons: string[] }>();
  const criteria = stages
    .filter(({ outcome }) => outcome === "fail" || outcome === "warn")
    .flatMap((one) => one.criteria);
  for (const { kind, name, reason } of criteria
    .filter(({ value }) => value === false)
    .flatMap((one) => one.failing)) {
    const member = found.get(`${kind} ${name}`) ?? { kind, name, reasons: [] };
    if (!member.reasons.includes(reason)) member.reasons.push(reason);
    found.set(`${kind} ${name}`, member);
  }
  return [...found.values()];
}

const KINDS: Readonly<Record<string, string>> = { AnarchySubject: "subject", SmokeRun: "smoke-run" };

/** The kind of evidence that tells of an object: `PersistentVolumeClaim` → `persistent-volume-claim`. */
export function evidenceKind(kind: string): string {
  return KINDS[kind] ?? kind.replaceAll(/([a-z])([A-Z])/g, "$1-$2").toLowerCase();
}
