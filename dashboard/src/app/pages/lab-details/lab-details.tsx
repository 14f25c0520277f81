import { Stack, StackItem, Tab, TabContentBody, TabTitleText, Tabs } from "@patternfly/react-core";
import type { ReactElement } from "react";
import { useParams } from "react-router";

import { Loaded } from "@app/components/loaded";
import { PageFrame } from "@app/components/page-frame";
import { useUrlValue } from "@app/hooks/url-state";
import { UNMAPPED } from "@app/pages/lab-list/tally";
import { useLab } from "@app/queries/labs";
import { paths } from "@app/Routes";

import { DifferencesTab } from "./differences-tab";
import { InstancesTab } from "./instances-tab";
import { LabSummary } from "./lab-summary";
import { PipelineTab } from "./pipeline-tab";
import { SessionsTab } from "./sessions-tab";
import { TimelineTab } from "./timeline-tab";

const TABS: readonly { key: string; title: string; content: (props: { code: string }) => ReactElement }[] = [
  { key: "pipeline", title: "Pipeline", content: PipelineTab },
  { key: "instances", title: "Instances", content: InstancesTab },
  { key: "timeline", title: "Timeline", content: TimelineTab },
  { key: "sessions", title: "Sessions", content: SessionsTab },
  { key: "differences", title: "Differences", content: DifferencesTab },
];

/** One lab: where its instances stand in the pipeline, what happened to it, and who comes when. */
export default function LabDetails() {
  const { code = "" } = useParams();
  const lab = useLab(code);
  const [tab, setTab] = useUrlValue("tab", "pipeline");
  const title = code === UNMAPPED ? "Unmapped instances" : code;
  const description =
    code === UNMAPPED
      ? "Nothing joins these instances to a lab: neither a lab code, nor what was ordered, nor the name of their namespace."
      : (lab.data?.data.title ?? undefined);
  return (
    <PageFrame title={title} description={description} breadcrumbs={[["Labs", paths.labs]]}>
      <Stack hasGutter>
        <StackItem>
          <Loaded query={lab} rows={4}>
            {({ data }) => <LabSummary lab={data} />}
          </Loaded>
        </StackItem>
        <StackItem>
          <Tabs
            aria-label={`Views of ${title}`}
            activeKey={TABS.some(({ key }) => key === tab) ? tab : "pipeline"}
            onSelect={(_event, key) => {
              setTab(String(key));
            }}
            mountOnEnter
            unmountOnExit
          >
            {TABS.map(({ key, title: name, content: Content }) => (
              <Tab key={key} eventKey={key} title={<TabTitleText>{name}</TabTitleText>}>
                <TabContentBody className="sg-tab">
                  <Content code={code} />
                </TabContentBody>
              </Tab>
            ))}
          </Tabs>
        </StackItem>
      </Stack>
    </PageFrame>
  );
}
