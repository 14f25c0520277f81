import type { LabelProps } from "@patternfly/react-core";
import BanIcon from "@patternfly/react-icons/dist/esm/icons/ban-icon";
import CheckCircleIcon from "@patternfly/react-icons/dist/esm/icons/check-circle-icon";
import ExclamationCircleIcon from "@patternfly/react-icons/dist/esm/icons/exclamation-circle-icon";
import ExclamationTriangleIcon from "@patternfly/react-icons/dist/esm/icons/exclamation-triangle-icon";
import HistoryIcon from "@patternfly/react-icons/dist/esm/icons/history-icon";
import HourglassHalfIcon from "@patternfly/react-icons/dist/esm/icons/hourglass-half-icon";
import InProgressIcon from "@patternfly/react-icons/dist/esm/icons/in-progress-icon";
import InfoCircleIcon from "@patternfly/react-icons/dist/esm/icons/info-circle-icon";
import MinusCircleIcon from "@patternfly/react-icons/dist/esm/icons/minus-circle-icon";
import OutlinedClockIcon from "@patternfly/react-icons/dist/esm/icons/outlined-clock-icon";
import OutlinedQuestionCircleIcon from "@patternfly/react-icons/dist/esm/icons/outlined-question-circle-icon";
import PauseCircleIcon from "@patternfly/react-icons/dist/esm/icons/pause-circle-icon";
import UnlinkIcon from "@patternfly/react-icons/dist/esm/icons/unlink-icon";
import type { ComponentType } from "react";

/** How a word of the API is shown: never by colour alone. */
export type Shown = {
  text: string;
  color: NonNullable<LabelProps["color"]>;
  icon: ComponentType;
};

const as =
  (color: Shown["color"], icon: ComponentType) =>
  (text: string): Shown => ({ text, color, icon });

const good = as("green", CheckCircleIcon);
const warning = as("orange", ExclamationTriangleIcon);
const bad = as("red", ExclamationCircleIcon);
/** Looked at, and it cannot be told. */
const indeterminate = as("purple", OutlinedQuestionCircleIcon);
/** Nobody knows. */
const unknown = as("grey", OutlinedQuestionCircleIcon);
const moving = as("blue", InProgressIcon);
const waiting = as("blue", OutlinedClockIcon);
const off = as("grey", PauseCircleIcon);
const ended = as("grey", MinusCircleIcon);
const news = as("blue", InfoCircleIcon);

/** Every word of the API that says how something stands. */
const WORDS = {
  state: {
    provisioning: moving("Provisioning"),
    ready: good("Ready"),
    warning: warning("Warning"),
    failing: bad("Failing"),
    stopped: off("Stopped"),
    terminating: as("grey", HourglassHalfIcon)("Terminating"),
    unknown: unknown("Unknown"),
    gone: ended("Gone"),
  },
  outcome: {
    pass: good("Pass"),
    warn: warning("Warning"),
    fail: bad("Fail"),
    indeterminate: indeterminate("Indeterminate"),
    skipped: ended("Skipped"),
  },
  level: {
    ok: good("All good"),
    attention: warning("Needs attention"),
    critical: bad("Critical"),
    unknown: indeterminate("Not known"),
  },
  cluster: {
    healthy: good("Healthy"),
    warning: warning("Warning"),
    critical: bad("Critical"),
    unknown: unknown("Unknown"),
  },
  severity: {
    critical: bad("Critical"),
    high: as("orangered", ExclamationCircleIcon)("High"),
    medium: warning("Medium"),
    low: news("Low"),
  },
  urgency: {
    critical: bad("Critical"),
    high: as("orangered", ExclamationCircleIcon)("High"),
    medium: warning("Medium"),
    low: news("Low"),
  },
  incident: { open: bad("Open"), resolved: good("Resolved") },
  resolution: {
    self_resolved: good("Recovered by itself"),
    namespace_recycled: ended("Namespace recycled"),
    children_resolved: good("All parts resolved"),
  },
  scope: {
    instance: news("Instance"),
    cluster: news("Cluster"),
    catalog_item: news("Catalog item"),
    fleet: news("Fleet"),
    lab: news("Lab"),
    pool: news("Pool"),
    platform: news("Platform"),
  },
  verdict: {
    ready: good("Ready"),
    at_risk: warning("At risk"),
    not_ready: bad("Not ready"),
    unknown: indeterminate("Not known"),
  },
  session: {
    running: moving("Running"),
    upcoming: waiting("Upcoming"),
    no_time: unknown("No time yet"),
    over: ended("Over"),
    canceled: as("grey", BanIcon)("Canceled"),
  },
  source: {
    fresh: good("Fresh"),
    late: as("yellow", OutlinedClockIcon)("Late"),
    stale: as("orange", HistoryIcon)("Stale"),
    failed: bad("Failed"),
    never: unknown("Never read"),
    disabled: off("Disabled"),
  },
  strength: {
    exact: good("Exact"),
    strong: as("teal", CheckCircleIcon)("Strong"),
    weak: as("yellow", UnlinkIcon)("Weak"),
  },
  mapping: {
    lab_code: good("By lab code"),
    catalog: as("teal", CheckCircleIcon)("By catalog item"),
    none: as("yellow", UnlinkIcon)("Unmapped"),
  },
  role: { entry: news("Entry"), exit: news("Exit") },
  grade: { failure: bad("Failure"), warning: warning("Warning"), informational: news("Informational") },
  pool: {
    healthy: good("Healthy"),
    filling: moving("Filling"),
    blocked: bad("Blocked"),
    churning: warning("Churning"),
    exhausted: bad("Exhausted"),
    empty_by_design: off("Empty by design"),
    provider_disabled: warning("Provider disabled"),
    unknown: unknown("Unknown"),
  },
  trend: {
    depleting: warning("Depleting"),
    steady: news("Steady"),
    recovering: good("Recovering"),
  },
  subject: {
    initializing: waiting("Initializing"),
    in_progress: moving("In progress"),
    started: good("Started"),
    stopped: off("Stopped"),
    failed_terminal: bad("Failed"),
    failed_retrying: warning("Failed, retrying"),
    gone: ended("Gone"),
    unknown: unknown("Unknown"),
  },
  stuck: {
    ignored: warning("Ignored by its governor"),
    orphaned_run: warning("Run without a runner"),
    platform_fault: bad("Platform fault"),
    teardown_not_scheduled: warning("Teardown not scheduled"),
    teardown_overdue: warning("Teardown overdue"),
    many_retries: warning("Many retries"),
    no_retry_scheduled: warning("No retry scheduled"),
    missed_callback: warning("Missed callback"),
    job_overdue: warning("Job overdue"),
    pending_long: warning("Pending for long"),
    not_initialized: warning("Not initialized"),
    dead_seat: bad("Dead seat"),
  },
  job: {
    active: moving("Running"),
    pending: waiting("Pending"),
    successful: good("Successful"),
    failed: bad("Failed"),
    error: bad("Error"),
    canceled: as("grey", BanIcon)("Canceled"),
    unknown: unknown("Unknown"),
  },
  phase: {
    provision: news("Provision"),
    destroy: news("Destroy"),
    start: news("Start"),
    stop: news("Stop"),
    status: news("Status"),
    other: news("Other"),
    requested: waiting("Requested"),
    provisioning: moving("Provisioning"),
    started: good("Started"),
    starting: moving("Starting"),
    stopping: moving("Stopping"),
    stopped: off("Stopped"),
    failed: bad("Failed"),
    destroying: as("grey", HourglassHalfIcon)("Destroying"),
    unknown: unknown("Unknown"),
  },
  intent: { started: good("Should run"), stopped: off("Should be stopped"), unknown: unknown("Unknown") },
  recommendation: { issued: news("Open"), withdrawn: ended("Withdrawn") },
  withdrawal: {
    no_longer: good("No longer holds"),
    subject_gone: ended("Its subject is gone"),
    rule_gone: ended("Its rule is gone"),
  },
  direction: {
    initial_fail: bad("Failed from the start"),
    degraded: bad("Degraded"),
    recovered: good("Recovered"),
    softened: warning("Softened"),
    cleared: good("Cleared"),
  },
  scan: { complete: good("Complete"), partial: warning("Partial"), failed: bad("Failed") },
  tier: {
    cluster: news("Cluster"),
    workloads: news("Workloads"),
    everything: news("Everything"),
    provisioning: news("Provisioning"),
  },
  trigger: { schedule: news("Schedule"), request: news("Request"), command: news("Command") },
  violation: {
    workload_not_deployed: warning("Workload not deployed"),
    operator_version_drift: warning("Operator version differs"),
    showroom_wrong_content: bad("Wrong showroom content"),
    showroom_wrong_ref: warning("Wrong showroom revision"),
    resource_below_spec: warning("Fewer resources than declared"),
  },
  violation_severity: { critical: bad("Critical"), warning: warning("Warning") },
  hit: {
    cluster: news("Cluster"),
    lab: news("Lab"),
    "failure-class": news("Failure class"),
    instance: news("Instance"),
  },
  live: {
    connecting: waiting("Connecting"),
    live: good("Live"),
    paused: warning("Live updates paused"),
  },
  access: {
    viewer: news("Viewer"),
    developer: news("Developer"),
    team_lead: news("Team lead"),
    operator: news("Operator"),
    approver: news("Approver"),
    admin: news("Administrator"),
    service: news("Service"),
  },
} satisfies Record<string, Record<string, Shown>>;

/** What kind of word it is. */
export type Vocabulary = keyof typeof WORDS;

/** How a word is shown. One that is not known yet is shown as it is, in grey. */
export function shownAs(vocabulary: Vocabulary, word: string | null | undefined): Shown {
  if (word === null || word === undefined) return unknown("Unknown");
  const words: Record<string, Shown> = WORDS[vocabulary];
  return (Object.hasOwn(words, word) ? words[word] : undefined) ?? unknown(humanized(word));
}

/** All words of a kind, in their order: for filters. */
export function wordsOf(vocabulary: Vocabulary): { value: string; label: string }[] {
  return Object.entries(WORDS[vocabulary]).map(([value, shown]) => ({ value, label: shown.text }));
}

/** `image_pull_backoff` → `Image pull backoff`. */
export function humanized(word: string): string {
  const text = word.replaceAll(/[_-]+/g, " ").trim();
  return text === "" ? "Unknown" : text.charAt(0).toUpperCase() + text.slice(1);
}

/** A failure class in words; none when there is none. */
export function className(failureClass: string | null | undefined): string {
  return failureClass === null || failureClass === undefined ? "No class" : humanized(failureClass);
}

const STAGES: Record<string, string> = {
  "cluster-health": "Cluster health",
  "run-created": "Run created",
  "provision-complete": "Provision complete",
  "namespace-ready": "Namespace ready",
  "deployment-ready": "Deployment ready",
  "storage-clone-ready": "Storage clone ready",
  "route-ready": "Route ready",
  "vm-runtime-ready": "VM runtime ready",
  "smoke-test-ready": "Smoke test ready",
  "showroom-healthy": "Showroom healthy",
  "model-endpoint-ready": "Model endpoint ready",
};

/** The eleven stages in their order: for filters. */
export const STAGE_OPTIONS = Object.entries(STAGES).map(([value, label]) => ({ value, label }));

export function stageName(stage: string | null | undefined): string {
  return stage === null || stage === undefined ? "No stage" : (STAGES[stage] ?? humanized(stage));
}

const REASONS: Record<string, string> = {
  not_collected: "not collected",
  not_probed: "nobody probes it",
  unauthorized: "the credentials were refused",
  forbidden: "reading it is not allowed",
  api_absent: "the cluster does not have this API",
  timeout: "the source did not answer in time",
  throttled: "the source asked for fewer requests",
  server_error: "the source had an error",
  unreachable: "the source cannot be reached",
  parse_error: "the answer could not be read",
  truncated: "the answer was too long and was cut",
  stale: "what is known is too old",
  progressing: "it is still in progress",
  intentionally_stopped: "stopped on purpose",
  terminating: "it is being removed",
  waiting_for_consumer: "waiting for its first consumer",
  agent_not_expected: "no guest agent is expected",
  unrecognized_state: "its state is not known here",
  missing_field: "the object does not say",
  not_computable: "it cannot be computed",
  too_costly: "finding out would cost too much",
};

/** Why something is not known, in words. */
export function reasonText(reason: string | null | undefined): string {
  if (reason === null || reason === undefined) return "no reason given";
  return REASONS[reason] ?? humanized(reason).toLowerCase();
}
