import { DataTable, type Column } from "@app/components/data-table";
import { Count } from "@app/components/not-known";
import { StatusLabel } from "@app/components/status-label";
import { Age, Duration } from "@app/components/times";
import { humanized, reasonText } from "@app/labels";

import type { Cluster } from "./summary";

type Kind = Cluster["kinds"][number];

const COLUMNS: Column<Kind>[] = [
  { title: "Kind", cell: (kind) => humanized(kind.kind) },
  { title: "State", cell: (kind) => <StatusLabel of="source" value={kind.state} />, modifier: "nowrap" },
  { title: "Objects", cell: (kind) => <Count value={kind.items} />, isNumeric: true },
  { title: "Read", cell: (kind) => <Age at={kind.last_success_at} none="never" />, modifier: "nowrap" },
  { title: "Tried", cell: (kind) => <Age at={kind.last_attempt_at} />, modifier: "nowrap" },
  {
    title: "Every",
    cell: (kind) => <Duration seconds={kind.interval_s} />,
    isNumeric: true,
    modifier: "nowrap",
  },
  {
    title: "What is missing, and why",
    cell: (kind) =>
      kind.missing === null || kind.missing === undefined
        ? kind.detail
        : `${humanized(reasonText(kind.missing))}${kind.detail === "" ? "" : `: ${kind.detail}`}`,
  },
];

/** What is read of this cluster, kind by kind, the worst first. */
export function Coverage({ kinds }: { kinds: readonly Kind[] }) {
  const rank = (kind: Kind) => (kind.state === "fresh" ? 1 : 0);
  return (
    <DataTable
      label="Kinds that are read"
      columns={COLUMNS}
      rows={[...kinds].sort((a, b) => rank(a) - rank(b) || a.kind.localeCompare(b.kind))}
      rowKey={(kind) => kind.kind}
    />
  );
}
