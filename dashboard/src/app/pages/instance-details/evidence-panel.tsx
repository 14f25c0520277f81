import { ClipboardCopy, CodeBlock, CodeBlockCode, Content } from "@patternfly/react-core";

import { DataTable, type Column } from "@app/components/data-table";
import { Loaded } from "@app/components/loaded";
import { Panel } from "@app/components/panel";
import { StatusLabel } from "@app/components/status-label";
import { Age } from "@app/components/times";
import { humanized } from "@app/labels";
import { useInstanceEvidence, type EvidenceRow } from "@app/queries/instances";

const COLUMNS: readonly Column<EvidenceRow>[] = [
  { title: "Kind", cell: (row) => humanized(row.kind) },
  { title: "Objects", isNumeric: true, cell: (row) => row.document?.length ?? "unknown" },
  {
    title: "Reading",
    cell: (row) => <StatusLabel of="source" value={row.state} hint={row.missing ?? undefined} isCompact />,
  },
  { title: "Read", cell: (row) => <Age at={row.checked_at} none="never" /> },
  { title: "Unchanged since", cell: (row) => <Age at={row.observed_at} none="no document" /> },
];

/** What the verdict rests on, document by document, with where it comes from. */
export function EvidencePanel({ id }: { id: string }) {
  const evidence = useInstanceEvidence(id);
  return (
    <Panel title="Evidence">
      <Loaded
        query={evidence}
        notes={false}
        empty={{ title: "No evidence", reason: "Nothing of this instance was read yet." }}
      >
        {({ data }) => (
          <DataTable
            label="Evidence"
            columns={COLUMNS}
            rows={[...data].sort((a, b) => Number(isBare(a)) - Number(isBare(b)))}
            rowKey={(row) => `evidence-${row.kind}`}
            expand={(row) => (isBare(row) ? null : <Document row={row} />)}
            isSticky={false}
          />
        )}
      </Loaded>
    </Panel>
  );
}

/** Whether there is nothing to show: read, and nothing of the kind was there; or never read. */
function isBare(row: EvidenceRow): boolean {
  return row.content_hash == null;
}

function Document({ row }: { row: EvidenceRow }) {
  return (
    <>
      <Content component="small">
        {row.size_bytes.toLocaleString("en")} bytes, SHA-256{" "}
        <ClipboardCopy variant="inline-compact" isCode hoverTip="Copy" clickTip="Copied">
          {row.content_hash ?? ""}
        </ClipboardCopy>
      </Content>
      {row.document == null ? (
        <Content component="p">The document is larger than an answer may be.</Content>
      ) : (
        <CodeBlock>
          <CodeBlockCode>{JSON.stringify(row.document, null, 2)}</CodeBlockCode>
        </CodeBlock>
      )}
    </>
  );
}
