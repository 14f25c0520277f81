const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

const STEPS = [
  ...[1, 2, 5, 10, 15, 30].map((count) => count * MINUTE),
  ...[1, 2, 3, 6, 12].map((count) => count * HOUR),
  ...[1, 2, 7, 14, 30].map((count) => count * DAY),
];

/** How far a zone's clocks are ahead of UTC at a time, in milliseconds. */
export function zoneOffset(t: number, zone: string): number {
  const parts = new Intl.DateTimeFormat("en-GB", {
    timeZone: zone,
    hourCycle: "h23",
    year: "numeric",
    month: "numeric",
    day: "numeric",
    hour: "numeric",
    minute: "numeric",
    second: "numeric",
  }).formatToParts(t);
  const of = (type: Intl.DateTimeFormatPartTypes) =>
    Number(parts.find((part) => part.type === type)?.value ?? 0);
  const wall = Date.UTC(of("year"), of("month") - 1, of("day"), of("hour"), of("minute"), of("second"));
  return wall - Math.floor(t / 1000) * 1000;
}

export type TimeTick = { t: number; label: string };

/** Where the axis of time is divided: at whole hours or days of the zone's own clock, at most `most` times. */
export function timeTicks(from: number, to: number, zone: string, most: number): TimeTick[] {
  const step = STEPS.find((one) => (to - from) / one <= Math.max(1, most)) ?? 30 * DAY;
  const ticks: TimeTick[] = [];
  const offset = zoneOffset(from, zone);
  for (let wall = Math.ceil((from + offset) / step) * step; ; wall += step) {
    // Where clocks change in between, the wall clock decides.
    const t = wall - zoneOffset(wall - offset, zone);
    if (t > to) return ticks;
    if (t >= from) ticks.push({ t, label: labelOf(t, zone, step) });
  }
}

function labelOf(t: number, zone: string, step: number): string {
  const clock = new Intl.DateTimeFormat("en-GB", {
    timeZone: zone,
    hourCycle: "h23",
    hour: "2-digit",
    minute: "2-digit",
  });
  const time = clock.format(t);
  if (step < DAY && time !== "00:00") return time;
  return new Intl.DateTimeFormat("en-GB", { timeZone: zone, day: "numeric", month: "short" }).format(t);
}
