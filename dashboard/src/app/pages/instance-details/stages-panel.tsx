import { ClipboardCopy, Content, Stack, StackItem } from "@patternfly/react-core";
import { Link } from "react-router";

import { DataTable, type Column } from "@app/components/data-table";
import { Panel } from "@app/components/panel";
import { StatusLabel } from "@app/components/status-label";
import { Age } from "@app/components/times";
import { className, reasonText, stageName } from "@app/labels";
import type { StageRow } from "@app/queries/instances";
import { to } from "@app/Routes";

import { CriteriaTable } from "./criteria-table";

const COLUMNS: readonly Column<StageRow>[] = [
  {
    title: "Stage",
    modifier: "nowrap",
    width: 20,
    cell: (row) => (
      <>
        {row.order != null && `${row.order}. `}
        {stageName(row.stage)}
      </>
    ),
  },
  { title: "Outcome", cell: (row) => <Outcome stage={row} /> },
  {
    title: "Since",
    modifier: "nowrap",
    cell: (row) => <Age at={row.since ?? row.unknown_since} none="not confirmed yet" />,
  },
  { title: "What it says", width: 50, cell: (row) => row.message },
];

/** Every stage the instance was judged by; opened, a stage shows its checks. */
export function StagesPanel({ stages }: { stages: readonly StageRow[] }) {
  return (
    <Panel title="Stages">
      <DataTable
        label="Stages"
        columns={COLUMNS}
        rows={stages}
        rowKey={(row) => row.stage}
        expand={(row) => <StageStory stage={row} />}
        isSticky={false}
      />
    </Panel>
  );
}

function Outcome({ stage }: { stage: StageRow }) {
  const unsure = stage.confirmed != null && stage.confirmed !== stage.outcome;
  const hint = [
    ...(stage.reason == null ? [] : [`Because ${reasonText(stage.reason)}`]),
    ...(unsure ? ["Seen once; the next reading confirms it"] : []),
  ].join(". ");
  return <StatusLabel of="outcome" value={stage.outcome} hint={hint} isCompact />;
}

/** One stage with its checks and where the verdict comes from. */
export function StageStory({ stage }: { stage: StageRow }) {
  return (
    <Stack hasGutter>
      <StackItem>
        <CriteriaTable stage={stage.stage} criteria={stage.criteria} />
      </StackItem>
      <StackItem>
        <Content component="small">
          Evidence observed <Age at={stage.observed_at} />, judged by rubrics{" "}
          <ClipboardCopy variant="inline-compact" isCode hoverTip="Copy" clickTip="Copied">
            {stage.rubric_version}
          </ClipboardCopy>
          {stage.class != null && <>. Failure class: {className(stage.class).toLowerCase()}</>}
          {stage.pattern_class != null && stage.pattern_class !== stage.class && (
            <>. By the wording of its objects: {className(stage.pattern_class).toLowerCase()}</>
          )}
          {stage.flapping_until != null && (
            <>
              . It comes and goes: changes are not announced until <Age at={stage.flapping_until} />
            </>
          )}
          {stage.incident_id != null && (
            <>
              . <Link to={to.incident(stage.incident_id)}>Its incident</Link>
            </>
          )}
          .
        </Content>
      </StackItem>
    </Stack>
  );
}
