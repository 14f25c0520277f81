import { ClipboardCopy, Content, List, ListItem, Stack, StackItem, Title } from "@patternfly/react-core";

import { DataTable, type Column } from "@app/components/data-table";
import { Loaded } from "@app/components/loaded";
import { NotKnown } from "@app/components/not-known";
import { Panel } from "@app/components/panel";
import { Age } from "@app/components/times";
import { useInstanceEvidence, type InstanceDetail, type WhyAnswer } from "@app/queries/instances";

import { commandsFor } from "./commands";
import { failingMembers } from "./criterion";
import { isTroubled, podsOf, type PodSummary } from "./pods";

type Props = { instance: InstanceDetail; subjects: WhyAnswer["subjects"] };

/** What is broken, by name: objects, the pods behind them, and how to look further. */
export function FailingPanel({ instance, subjects }: Props) {
  const members = failingMembers(instance.stages);
  const commands = commandsFor(instance, instance.stages, subjects);
  const evidence = useInstanceEvidence(instance.id);
  return (
    <Panel title="What fails">
      <Stack hasGutter>
        <StackItem>
          {members.length === 0 ? (
            <Content component="p">No object is known to fail.</Content>
          ) : (
            <List isPlain isBordered aria-label="Objects that fail">
              {members.map((member) => (
                <ListItem key={`${member.kind} ${member.name}`}>
                  <strong>
                    {member.kind} {member.name}
                  </strong>
                  : {member.reasons.join("; ")}
                </ListItem>
              ))}
            </List>
          )}
        </StackItem>
        <StackItem>
          <Loaded query={evidence} rows={2} notes={false} isEmpty={() => false}>
            {({ data }) => <Pods document={data.find(({ kind }) => kind === "pod")?.document ?? null} />}
          </Loaded>
        </StackItem>
        {commands.length > 0 && (
          <StackItem>
            <Title headingLevel="h3" size="md">
              Commands to look further
            </Title>
            <Content component="small">They only read. Sign in to the cluster first.</Content>
            <Stack hasGutter>
              {commands.map(({ purpose, command, where }) => (
                <StackItem key={command}>
                  <span className="sg-subtle">
                    {purpose}, on {where}
                  </span>
                  <ClipboardCopy isReadOnly isCode hoverTip="Copy" clickTip="Copied" textAriaLabel={purpose}>
                    {command}
                  </ClipboardCopy>
                </StackItem>
              ))}
            </Stack>
          </StackItem>
        )}
      </Stack>
    </Panel>
  );
}

const COLUMNS: readonly Column<PodSummary>[] = [
  {
    title: "Pod",
    modifier: "breakWord",
    width: 35,
    cell: (row) => (
      <>
        {row.name}
        <div className="sg-subtle">
          {row.node === null ? "on no node" : `on ${row.node}`}, created <Age at={row.createdAt} />
        </div>
      </>
    ),
  },
  { title: "Status", modifier: "nowrap", cell: (row) => row.status },
  { title: "Restarts", isNumeric: true, cell: (row) => row.restarts },
  { title: "What it says", width: 40, modifier: "breakWord", cell: (row) => row.message ?? "Nothing" },
];

function Pods({ document }: { document: readonly unknown[] | null }) {
  if (document === null) {
    return (
      <Content component="p">
        Pods: <NotKnown why="They were never read, or there are more than an answer holds" />
      </Content>
    );
  }
  const pods = podsOf(document);
  const troubled = pods.filter(isTroubled);
  if (troubled.length === 0) {
    return <Content component="p">{wellText(pods.length)}</Content>;
  }
  return (
    <>
      <Title headingLevel="h3" size="md">
        {troubled.length} of {pods.length} pods not ready
      </Title>
      <DataTable
        label="Pods that are not ready"
        columns={COLUMNS}
        rows={troubled}
        rowKey={(row) => row.name}
        isSticky={false}
      />
    </>
  );
}

function wellText(pods: number): string {
  if (pods === 0) return "There are no pods.";
  return pods === 1 ? "The one pod that is there is ready." : `All ${pods} pods that are there are ready.`;
}
