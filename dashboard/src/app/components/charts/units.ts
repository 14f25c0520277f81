import { duration } from "@app/time";

/** How the numbers of a chart read. */
export type Unit = {
  /** Above the axis. */
  name: string;
  format: (value: number) => string;
  /** Where the axis may be divided. */
  steps: readonly number[];
  /** Where it ends in any case. */
  top?: number;
};

const DECIMAL = [
  1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 20_000, 50_000, 100_000,
] as const;
const FINE = [0.1, 0.2, 0.5, ...DECIMAL] as const;
const HOUR = 3_600;
const SECONDS = [
  1,
  5,
  15,
  30,
  60,
  120,
  300,
  600,
  900,
  1_800,
  HOUR,
  2 * HOUR,
  6 * HOUR,
  12 * HOUR,
  24 * HOUR,
  48 * HOUR,
];

const plain = (value: number) => value.toLocaleString("en", { maximumFractionDigits: 1 });

/** How a unit of the API is shown. A word that is not known here is shown as it came. */
export function unitOf(unit: string): Unit {
  switch (unit) {
    case "s":
    case "seconds":
      return { name: "Time", format: duration, steps: SECONDS };
    case "percent":
    case "pct":
    case "%":
      return { name: "Percent", format: (value) => `${plain(value)} %`, steps: DECIMAL, top: 100 };
    case "vms_per_node":
    case "vms/node":
      return { name: "VMs per compute node", format: plain, steps: FINE };
    default:
      return { name: capital(unit.replaceAll("_", " ")), format: plain, steps: DECIMAL };
  }
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** Where the axis of values is divided: at round numbers, at most `most` of them above zero. */
export function valueTicks(greatest: number, unit: Unit, most = 5): number[] {
  const top = Math.max(greatest, unit.top ?? 0);
  const fits = (step: number) => Math.ceil(top / step) <= most;
  const last = unit.steps.at(-1) ?? 1;
  const step = unit.steps.find(fits) ?? last * Math.ceil(top / last / most);
  const count = Math.max(1, Math.ceil(top / step));
  return Array.from({ length: count + 1 }, (_, index) => index * step);
}
