import type { Outcomes } from "@app/client/types";
import type { PipelineStage } from "@app/queries/labs";

/** How a step of a lab's pipeline is shown. */
export type StepState = "failing" | "warning" | "unknown" | "pass";

/** From this share of failing instances on, a stage is the lab's problem and no longer that of one attendee. */
export const RED_SHARE = 0.2;

/** A session this near makes every failing seat urgent: two hours. */
const NEAR_MS = 2 * 60 * 60 * 1000;

/**
 * How a stage stands. One failing seat among many does not paint the whole lab red, unless somebody is about to sit on it; and a
 * stage of which anything is unknown is never shown as passed.
 */
export function stepState(stage: PipelineStage, sessionIsNear: boolean): StepState {
  const { pass, warn, fail, indeterminate } = stage.outcomes;
  if (fail > 0) {
    return sessionIsNear || (stage.share_failing ?? 1) >= RED_SHARE ? "failing" : "warning";
  }
  if (warn > 0) return "warning";
  return indeterminate > 0 || pass === 0 ? "unknown" : "pass";
}

/** Whether the lab's session runs now or begins within two hours. */
export function isNear(startsAt: string | null | undefined, now: number): boolean {
  return startsAt != null && Date.parse(startsAt) - now <= NEAR_MS;
}

/** The counts of a stage in words, those that are zero left out, the most urgent first. */
export function countWords(outcomes: Outcomes): string {
  const words: string[] = [];
  if (outcomes.fail > 0) words.push(`fail ${String(outcomes.fail)}`);
  if (outcomes.warn > 0) words.push(`warn ${String(outcomes.warn)}`);
  if (outcomes.indeterminate > 0) words.push(`unknown ${String(outcomes.indeterminate)}`);
  if (outcomes.pass > 0) words.push(`pass ${String(outcomes.pass)}`);
  return words.join(" · ");
}

/** A share as a whole percentage; one that is not zero is never shown as "0 %". */
export function percent(share: number): string {
  const rounded = Math.round(share * 100);
  return share > 0 && rounded === 0 ? "< 1 %" : `${String(rounded)} %`;
}
