import { Content, Flex, FlexItem } from "@patternfly/react-core";

import { DataTable, type Column } from "@app/components/data-table";
import { NotKnown } from "@app/components/not-known";
import { Panel } from "@app/components/panel";
import { StatusLabel } from "@app/components/status-label";
import { humanized, reasonText } from "@app/labels";

import type { Cluster } from "./summary";

type Stage = NonNullable<Cluster["health"]>;
type Criterion = Stage["criteria"][number];

/** What a criterion came to, in the words of an outcome. */
export function outcomeOf(criterion: Pick<Criterion, "value" | "required">): string {
  if (criterion.value === true) return "pass";
  if (criterion.value === false) return criterion.required ? "fail" : "warn";
  return criterion.value === null || criterion.value === undefined ? "indeterminate" : "pass";
}

function valueText(value: unknown): string {
  return typeof value === "boolean" || value === null || value === undefined ? "" : JSON.stringify(value);
}

const COLUMNS: Column<Criterion>[] = [
  {
    title: "Condition",
    width: 30,
    cell: (criterion) => (
      <>
        {humanized(criterion.name)}
        {!criterion.required && <div className="sg-subtle">not required</div>}
      </>
    ),
  },
  {
    title: "Result",
    modifier: "nowrap",
    cell: (criterion) => <StatusLabel of="outcome" value={outcomeOf(criterion)} isCompact />,
  },
  {
    title: "What was seen",
    cell: (criterion) => <Seen criterion={criterion} />,
  },
];

function Seen({ criterion }: { criterion: Criterion }) {
  if (outcomeOf(criterion) === "indeterminate") return <>{humanized(reasonText(criterion.unknown_reason))}</>;
  const more = (criterion.failing_count ?? criterion.failing.length) - criterion.failing.length;
  return (
    <>
      {valueText(criterion.value)}
      {criterion.failing.map((member) => (
        <div key={`${member.kind} ${member.name}`} className="sg-break">
          {humanized(member.kind)} <strong>{member.name}</strong>
          {member.reason !== "" && `: ${member.reason}`}
        </div>
      ))}
      {more > 0 && <div>and {more} more</div>}
      {criterion.excluded.map((member) => (
        <div key={`${member.kind} ${member.name}`} className="sg-subtle sg-break">
          Left out: {member.name}, {member.reason}
        </div>
      ))}
    </>
  );
}

/** The conditions that a cluster must hold: nodes, load, operators, and who breaks them. */
export function Health({ health }: { health: Cluster["health"] }) {
  return (
    <Panel title="Health">
      {health === null || health === undefined ? (
        <Content component="p">
          <NotKnown /> It was not evaluated yet.
        </Content>
      ) : (
        <>
          <Flex className="sg-meta-notes">
            <FlexItem>
              <StatusLabel of="outcome" value={health.outcome} hint={health.reason ?? undefined} />
            </FlexItem>
            <FlexItem>{humanized(health.message)}</FlexItem>
          </Flex>
          <DataTable
            label="Conditions of health"
            columns={COLUMNS}
            rows={health.criteria}
            rowKey={(criterion) => `${criterion.role} ${criterion.name}`}
            isSticky={false}
          />
        </>
      )}
    </Panel>
  );
}
