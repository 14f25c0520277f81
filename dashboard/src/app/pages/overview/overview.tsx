import { Grid, GridItem, Stack, StackItem } from "@patternfly/react-core";

import { Loaded } from "@app/components/loaded";
import { PageFrame } from "@app/components/page-frame";
import { useOverview } from "@app/queries/overview";

import { Advice } from "./advice";
import { Attention } from "./attention";
import { Classes } from "./classes";
import { Fleet } from "./fleet";
import { NextSessions } from "./next-sessions";
import { Sources } from "./sources";
import { Tiles } from "./tiles";
import { Verdict } from "./verdict";

/** Whether the labs are ready, and if not, why: readable in ten seconds. */
export default function Overview() {
  const overview = useOverview();
  return (
    <PageFrame title="Overview">
      <Stack hasGutter>
        <StackItem>
          <Loaded query={overview} rows={4}>
            {({ data, meta }) => (
              <Stack hasGutter>
                <StackItem>
                  <Verdict overview={data} asOf={meta.as_of} />
                </StackItem>
                <StackItem>
                  <Tiles overview={data} />
                </StackItem>
              </Stack>
            )}
          </Loaded>
        </StackItem>
        <StackItem>
          <Grid hasGutter>
            <GridItem span={12} xl={8}>
              <Stack hasGutter>
                <StackItem>
                  <NextSessions />
                </StackItem>
                <StackItem>
                  <Attention />
                </StackItem>
              </Stack>
            </GridItem>
            <GridItem span={12} xl={4}>
              <Stack hasGutter>
                <StackItem>
                  <Fleet overview={overview} />
                </StackItem>
                <StackItem>
                  <Advice />
                </StackItem>
                <StackItem>
                  <Classes overview={overview} />
                </StackItem>
                <StackItem>
                  <Sources />
                </StackItem>
              </Stack>
            </GridItem>
          </Grid>
        </StackItem>
      </Stack>
    </PageFrame>
  );
}
