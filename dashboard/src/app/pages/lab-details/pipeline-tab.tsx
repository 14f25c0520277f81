import { Button, Content, Stack, StackItem } from "@patternfly/react-core";
import { Link } from "react-router";

import { DataTable, type Column } from "@app/components/data-table";
import { FilterToolbar } from "@app/components/filter-toolbar";
import { Loaded } from "@app/components/loaded";
import { Panel } from "@app/components/panel";
import { Age } from "@app/components/times";
import { className, stageName } from "@app/labels";
import { asOption } from "@app/pages/instance-list/instance-filters";
import { useLab, useLabPipeline, type PipelineStage } from "@app/queries/labs";
import { to } from "@app/Routes";
import { useNow } from "@app/time";

import { LabInstances, useLabInstanceFilters } from "./lab-instances";
import { isNear } from "./pipeline";
import { PipelineSteps } from "./pipeline-steps";

type Worst = PipelineStage["worst"][number];

/** Where the lab's instances stand in the pipeline; a stage picks those that do not get past it. */
export function PipelineTab({ code }: { code: string }) {
  const url = useLabInstanceFilters();
  const chosen = url.values.stage;
  const pipeline = useLabPipeline(code, { cluster: url.values.cluster });
  const lab = useLab(code).data?.data;
  const near = isNear(lab?.next_session?.starts_at, useNow());
  const clusters = (lab?.by_cluster ?? []).map(({ cluster }) => asOption(cluster));
  return (
    <Stack hasGutter>
      <StackItem>
        <FilterToolbar url={url} facets={[{ name: "cluster", title: "Cluster", options: clusters }]} />
        <Panel title="Pipeline">
          <Loaded query={pipeline} rows={4} notes={false}>
            {({ data }) => (
              <Stack hasGutter>
                <StackItem>
                  <PipelineSteps
                    stages={data}
                    sessionIsNear={near}
                    chosen={chosen}
                    onChoose={(stage) => {
                      url.update({ stage: chosen.includes(stage) ? [] : [stage] });
                    }}
                  />
                </StackItem>
                {chosen.length > 0 && (
                  <StackItem>
                    <WorstOf stages={data.filter(({ stage }) => chosen.includes(stage))} />
                  </StackItem>
                )}
              </Stack>
            )}
          </Loaded>
        </Panel>
      </StackItem>
      <StackItem>
        <Panel
          title={chosen.length === 0 ? "Instances" : `First trouble at: ${chosen.map(stageName).join(", ")}`}
          actions={
            chosen.length === 0 ? undefined : (
              <Button
                variant="link"
                isInline
                onClick={() => {
                  url.update({ stage: [] });
                }}
              >
                All instances
              </Button>
            )
          }
        >
          <LabInstances code={code} url={url} />
        </Panel>
      </StackItem>
    </Stack>
  );
}

const COLUMNS: readonly Column<Worst>[] = [
  { title: "Namespace", cell: (row) => <Link to={to.instance(row.id)}>{row.namespace}</Link> },
  { title: "Cluster", cell: (row) => <Link to={to.cluster(row.cluster)}>{row.cluster}</Link> },
  { title: "Failure class", cell: (row) => className(row.class) },
  { title: "Since", cell: (row) => <Age at={row.since} none="not confirmed yet" /> },
  { title: "What it says", width: 40, cell: (row) => row.message },
];

/** Who fails at a stage the longest, also when an earlier stage is the first trouble. */
function WorstOf({ stages }: { stages: readonly PipelineStage[] }) {
  return stages.map((stage) =>
    stage.worst.length === 0 ? (
      <Content component="p" key={stage.stage}>
        {stage.outcomes.fail > 0
          ? `What failed at “${stageName(stage.stage)}” was not seen again at the newest reading; it is among the instances below.`
          : `Nothing fails at “${stageName(stage.stage)}”.`}
      </Content>
    ) : (
      <DataTable
        key={stage.stage}
        label={`Longest failing at ${stageName(stage.stage)}`}
        columns={COLUMNS}
        rows={stage.worst}
        rowKey={(row) => row.id}
        isSticky={false}
      />
    ),
  );
}
