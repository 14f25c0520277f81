import { useSyncExternalStore } from "react";

/** How times are shown: in the event's zone, in UTC, or in the reader's own zone. */
export type ZoneChoice = "event" | "utc" | "local";

export const ZONE_CHOICES: readonly ZoneChoice[] = ["event", "utc", "local"];

const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** A length of time in its two largest units: `42 s`, `6 min`, `2 h 5 min`, `3 d 4 h`. */
export function duration(seconds: number): string {
  const s = Math.max(0, Math.round(seconds));
  if (s < MINUTE) return `${s} s`;
  if (s < HOUR) return `${Math.floor(s / MINUTE)} min`;
  if (s < DAY) return two(Math.floor(s / HOUR), "h", Math.floor((s % HOUR) / MINUTE), "min");
  return two(Math.floor(s / DAY), "d", Math.floor((s % DAY) / HOUR), "h");
}

function two(major: number, majorUnit: string, minor: number, minorUnit: string): string {
  return minor === 0 ? `${major} ${majorUnit}` : `${major} ${majorUnit} ${minor} ${minorUnit}`;
}

/** Seconds from `iso` to `now`; negative when it lies ahead. Null when it is no time. */
export function secondsSince(iso: string, now: number): number | null {
  const at = Date.parse(iso);
  return Number.isNaN(at) ? null : (now - at) / 1000;
}

/** `3 min ago`, `in 2 h`, `just now`. */
export function relative(iso: string, now: number): string {
  const seconds = secondsSince(iso, now);
  if (seconds === null) return iso;
  if (Math.abs(seconds) < 5) return "just now";
  return seconds > 0 ? `${duration(seconds)} ago` : `in ${duration(-seconds)}`;
}

/** The IANA zone behind a choice; without an event's zone, its times are shown in UTC. */
export function zoneName(choice: ZoneChoice, eventZone: string | null): string {
  if (choice === "event") return eventZone ?? "UTC";
  if (choice === "utc") return "UTC";
  return Intl.DateTimeFormat().resolvedOptions().timeZone;
}

const formats = new Map<string, Intl.DateTimeFormat>();

function format(zone: string, key: string, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const name = `${zone} ${key}`;
  let found = formats.get(name);
  if (found === undefined) {
    found = new Intl.DateTimeFormat("en-GB", { timeZone: zone, hourCycle: "h23", ...options });
    formats.set(name, found);
  }
  return found;
}

const CLOCK: Intl.DateTimeFormatOptions = { hour: "2-digit", minute: "2-digit" };
const DATE: Intl.DateTimeFormatOptions = { weekday: "short", day: "numeric", month: "short" };

function dayOf(at: Date, zone: string): string {
  return format(zone, "day", { year: "numeric", month: "2-digit", day: "2-digit" }).format(at);
}

/** `08:12` today, `Tue 24 Nov, 08:12` on any other day. */
export function shortTime(iso: string, zone: string, now: number): string {
  const at = new Date(iso);
  if (Number.isNaN(at.getTime())) return iso;
  const clock = format(zone, "clock", CLOCK).format(at);
  return dayOf(at, zone) === dayOf(new Date(now), zone)
    ? clock
    : `${format(zone, "date", DATE).format(at)}, ${clock}`;
}

/** `Tue, 24 Nov 2026, 08:12:05 MST`. */
export function fullTime(iso: string, zone: string): string {
  const at = new Date(iso);
  if (Number.isNaN(at.getTime())) return iso;
  return format(zone, "full", {
    ...DATE,
    year: "numeric",
    ...CLOCK,
    second: "2-digit",
    timeZoneName: "short",
  }).format(at);
}

const TICK_MS = 5_000;
let now = Date.now();
let timer: ReturnType<typeof setInterval> | undefined;
const watchers = new Set<() => void>();

function watch(watcher: () => void): () => void {
  watchers.add(watcher);
  if (timer === undefined) {
    now = Date.now();
    timer = setInterval(() => {
      now = Date.now();
      watchers.forEach((tell) => {
        tell();
      });
    }, TICK_MS);
  }
  return () => {
    watchers.delete(watcher);
    if (watchers.size === 0) {
      clearInterval(timer);
      timer = undefined;
    }
  };
}

function current(): number {
  // Before anybody watches, nothing ticks: the first reader takes the present.
  if (timer === undefined && Date.now() - now > TICK_MS) now = Date.now();
  return now;
}

/** The present, in milliseconds; every component that shows an age ticks by the same clock. */
export function useNow(): number {
  return useSyncExternalStore(watch, current);
}
