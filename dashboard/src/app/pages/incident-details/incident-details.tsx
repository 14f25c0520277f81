import { Flex, Grid, GridItem, Stack, StackItem } from "@patternfly/react-core";
import { useParams } from "react-router";

import { Loaded } from "@app/components/loaded";
import { PageFrame } from "@app/components/page-frame";
import { Panel } from "@app/components/panel";
import { StatusLabel } from "@app/components/status-label";
import { className } from "@app/labels";
import { IncidentTable, Marks } from "@app/pages/incident-list/incident-table";
import { useIncident, type IncidentDetail } from "@app/queries/incidents";
import { paths } from "@app/Routes";

import { ClassPanel } from "./class-panel";
import { HistoryPanel } from "./history-panel";
import { IncidentFacts } from "./incident-facts";
import { MembersPanel, StagePanel } from "./members-panel";

/** One incident: what it is, what it means, whom it concerns, and how it came. */
export default function IncidentDetails() {
  const { id = "" } = useParams();
  const incident = useIncident(id);
  const known = incident.data?.data;
  return (
    <PageFrame
      title={known === undefined ? "Incident" : className(known.class)}
      status={
        known === undefined ? undefined : (
          <Flex columnGap={{ default: "columnGapSm" }}>
            <StatusLabel of="incident" value={known.state} />
            <StatusLabel of="severity" value={known.severity} />
            <Marks incident={known} />
          </Flex>
        )
      }
      description={known?.message}
      breadcrumbs={[["Incidents", paths.incidents]]}
    >
      <Loaded query={incident} rows={10}>
        {({ data }) => <Story incident={data} />}
      </Loaded>
    </PageFrame>
  );
}

function Story({ incident }: { incident: IncidentDetail }) {
  return (
    <Stack hasGutter>
      <StackItem>
        <IncidentFacts incident={incident} />
      </StackItem>
      <StackItem>
        <Grid hasGutter>
          <GridItem lg={12} xl={8}>
            <Stack hasGutter>
              {incident.instance_id != null && (
                <StagePanel instanceId={incident.instance_id} stage={incident.stage} />
              )}
              <MembersPanel members={incident.members} />
            </Stack>
          </GridItem>
          <GridItem lg={12} xl={4}>
            <Stack hasGutter>
              <ClassPanel id={incident.class ?? null} stage={incident.stage} />
              <HistoryPanel incident={incident} />
            </Stack>
          </GridItem>
        </Grid>
      </StackItem>
      {incident.children.length > 0 && (
        <StackItem>
          <Panel title="Incidents it covers">
            <IncidentTable label="Incidents it covers" rows={incident.children} />
          </Panel>
        </StackItem>
      )}
    </Stack>
  );
}
