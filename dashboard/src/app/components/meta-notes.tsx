import { Label, LabelGroup, Tooltip } from "@patternfly/react-core";
import HistoryIcon from "@patternfly/react-icons/dist/esm/icons/history-icon";
import UnlinkIcon from "@patternfly/react-icons/dist/esm/icons/unlink-icon";
import type { ReactNode } from "react";

import type { Meta } from "@app/client/types";
import { useZone } from "@app/hooks/zone";
import { shownAs } from "@app/labels";
import { duration, shortTime, useNow } from "@app/time";

const SILENT: readonly string[] = ["stale", "failed", "never"];

/** `data from 08:12 (34 min old)`. */
export function staleText(since: number, zone: string, now: number): string {
  const at = new Date(since).toISOString();
  return `data from ${shortTime(at, zone, now)} (${duration((now - since) / 1000)} old)`;
}

/** Tells how old the shown data is, to what says why. */
export function StaleNote({ since, children }: { since: number; children: (text: string) => ReactNode }) {
  const zone = useZone();
  const now = useNow();
  return <>{children(`Could not refresh: ${staleText(since, zone.name, now)}`)}</>;
}

/** `7 of 8 clusters reporting`, with the others; null when all do. */
export function coverageText(meta: Meta): { text: string; missing: string[] } | null {
  const expected = meta.sources.filter((source) => source.state !== "disabled");
  const silent = expected.filter((source) => SILENT.includes(source.state));
  if (silent.length === 0) return null;
  const clusters = expected.every((source) => source.source.startsWith("cluster/"));
  const noun = clusters
    ? expected.length === 1
      ? "cluster"
      : "clusters"
    : expected.length === 1
      ? "source"
      : "sources";
  return {
    text: `${expected.length - silent.length} of ${expected.length} ${noun} reporting`,
    missing: silent.map((source) => {
      const name = source.source.replace(/^cluster\//, "");
      const age =
        source.age_s === null || source.age_s === undefined ? "" : `, ${duration(source.age_s)} old`;
      return `${name} (${shownAs("source", source.state).text.toLowerCase()}${age})`;
    }),
  };
}

/** Says, above what is shown, when it is old or rests on a part of the sources. */
export function MetaNotes({ meta }: { meta: Meta }) {
  const zone = useZone();
  const now = useNow();
  const coverage = coverageText(meta);
  if (coverage === null) return null;
  const oldest = meta.sources
    .filter((source) => SILENT.includes(source.state) && source.observed_at)
    .map((source) => Date.parse(source.observed_at ?? ""))
    .sort((a, b) => a - b)[0];
  return (
    <LabelGroup className="sg-meta-notes" aria-label="How current this is">
      <Tooltip content={coverage.missing.join(", ")}>
        <Label color="orange" icon={<UnlinkIcon />} tabIndex={0}>
          {coverage.text}; missing: {named(coverage.missing)}
        </Label>
      </Tooltip>
      {oldest === undefined ? null : (
        <Label color="orange" icon={<HistoryIcon />}>
          {staleText(oldest, zone.name, now)}
        </Label>
      )}
    </LabelGroup>
  );
}

function named(missing: readonly string[]): string {
  const first = missing.slice(0, 2).join(", ");
  return missing.length > 2 ? `${first} and ${missing.length - 2} more` : first;
}
