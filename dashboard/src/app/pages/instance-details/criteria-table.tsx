import { List, ListItem } from "@patternfly/react-core";

import { DataTable, type Column } from "@app/components/data-table";
import { StatusLabel } from "@app/components/status-label";
import { humanized, reasonText } from "@app/labels";
import type { Criterion } from "@app/queries/instances";
import { useStages } from "@app/queries/knowledge";

import { resultOf } from "./criterion";

type Member = Criterion["failing"][number];

/** What a stage checked: what is expected, what was observed, and which objects are to blame. */
export function CriteriaTable({ stage, criteria }: { stage: string; criteria: readonly Criterion[] }) {
  const known = useStages().data?.data.find((one) => one.stage === stage)?.criteria ?? [];
  const expected = (name: string) => known.find((one) => one.name === name)?.description ?? null;
  const columns: readonly Column<Criterion>[] = [
    {
      title: "Check",
      width: 20,
      cell: (row) => (
        <>
          {humanized(row.name)}
          <div className="sg-subtle">
            {row.role === "entry" ? "Checked first" : row.required ? "Required" : "Optional"}
          </div>
        </>
      ),
    },
    { title: "Expected", width: 30, cell: (row) => expected(row.name) ?? "That it holds" },
    { title: "Observed", width: 35, cell: (row) => <Observed criterion={row} /> },
    { title: "Result", cell: (row) => <StatusLabel of="outcome" value={resultOf(row)} isCompact /> },
  ];
  return (
    <DataTable
      label={`Checks of ${stage}`}
      columns={columns}
      rows={criteria}
      rowKey={(row) => `${row.role} ${row.name}`}
      isSticky={false}
    />
  );
}

function Observed({ criterion }: { criterion: Criterion }) {
  const { value, unknown_reason: why, failing, failing_count: count, excluded } = criterion;
  return (
    <>
      {value === null || value === undefined ? (
        <span className="sg-unknown">Not known: {reasonText(why)}</span>
      ) : (
        observedText(value)
      )}
      <Members members={failing} count={count ?? failing.length} />
      {excluded.length > 0 && (
        <div className="sg-subtle">
          Left out on purpose: {excluded.map((one) => `${one.kind} ${one.name} (${one.reason})`).join(", ")}
        </div>
      )}
    </>
  );
}

function observedText(value: unknown): string {
  if (value === true) return "It holds";
  if (value === false) return "It does not hold";
  return typeof value === "string" ? value : JSON.stringify(value);
}

/** The objects that decide, by kind and name, each with what is wrong with it. */
export function Members({ members, count }: { members: readonly Member[]; count: number }) {
  if (members.length === 0) return null;
  return (
    <List isPlain>
      {members.map((member) => (
        <ListItem key={`${member.kind} ${member.name} ${member.reason}`}>
          <strong>
            {member.kind} {member.name}
          </strong>
          : {member.reason}
        </ListItem>
      ))}
      {count > members.length && <ListItem>and {count - members.length} more</ListItem>}
    </List>
  );
}
