import { Grid, GridItem, Stack, StackItem } from "@patternfly/react-core";
import { useEffect } from "react";
import { useParams, useSearchParams } from "react-router";

import { Loaded } from "@app/components/loaded";
import { PageFrame } from "@app/components/page-frame";
import { InstanceStateLabel } from "@app/pages/instance-list/instance-table";
import { useInstance, useInstanceWhy, type InstanceDetail } from "@app/queries/instances";
import { paths, to } from "@app/Routes";

import { ChainPanel } from "./chain-panel";
import { firstTrouble } from "./criterion";
import { EvidencePanel } from "./evidence-panel";
import { FailingPanel } from "./failing-panel";
import { InstanceFacts } from "./instance-facts";
import { GapsPanel, HistoryPanel, IncidentsPanel, ViolationsPanel } from "./side-panels";
import { StagesPanel } from "./stages-panel";

/** One instance with its whole story: how it stands, why, what is broken, and who waits for it. */
export default function InstanceDetails() {
  const { id = "" } = useParams();
  const instance = useInstance(id);
  const why = useInstanceWhy(id);
  const known = instance.data?.data;
  return (
    <PageFrame
      title={known?.namespace ?? "Instance"}
      status={known === undefined ? undefined : <InstanceStateLabel instance={known} />}
      description={why.data?.data.sentence}
      breadcrumbs={
        known === undefined
          ? [["Instances", paths.instances]]
          : [
              ["Labs", paths.labs],
              [known.lab, to.lab(known.lab)],
            ]
      }
    >
      <Loaded query={instance} rows={10}>
        {({ data }) => <Story instance={data} />}
      </Loaded>
    </PageFrame>
  );
}

function Story({ instance }: { instance: InstanceDetail }) {
  const why = useInstanceWhy(instance.id);
  useOpenFirstTrouble(instance);
  return (
    <Stack hasGutter>
      <StackItem>
        <InstanceFacts instance={instance} />
      </StackItem>
      <StackItem>
        <Grid hasGutter>
          <GridItem lg={12} xl={8}>
            <Stack hasGutter>
              <FailingPanel instance={instance} subjects={why.data?.data.subjects ?? []} />
              <StagesPanel stages={instance.stages} />
              <EvidencePanel id={instance.id} />
            </Stack>
          </GridItem>
          <GridItem lg={12} xl={4}>
            <Stack hasGutter>
              <IncidentsPanel incidents={instance.incidents} />
              <Loaded query={why} rows={8} notes={false}>
                {({ data }) => (
                  <Stack hasGutter>
                    <ChainPanel why={data} />
                    <GapsPanel gaps={data.not_known} />
                    <ViolationsPanel violations={data.violations} />
                  </Stack>
                )}
              </Loaded>
              <HistoryPanel transitions={instance.transitions} />
            </Stack>
          </GridItem>
        </Grid>
      </StackItem>
    </Stack>
  );
}

/** Opens the stage to look at first, unless the address says which rows are open. */
function useOpenFirstTrouble(instance: InstanceDetail): void {
  const [, setParams] = useSearchParams();
  const { id } = instance;
  const stage = firstTrouble(instance.stages)?.stage;
  useEffect(() => {
    setParams(
      (before) => {
        if (before.has("selected") || stage === undefined) return before;
        const after = new URLSearchParams(before);
        after.set("selected", stage);
        return after;
      },
      { replace: true, preventScrollReset: true },
    );
    // Once an instance: what the reader closes stays closed.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [id]);
}
