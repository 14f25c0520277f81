import { Tab, TabContentBody, TabTitleText, Tabs } from "@patternfly/react-core";

import { PageFrame } from "@app/components/page-frame";
import { useUrlValue } from "@app/hooks/url-state";

import { GroupsTab } from "./groups-tab";
import { IncidentsTab } from "./incidents-tab";

/** What is wrong: one by one, or in groups that are read together. */
export default function IncidentList() {
  const [tab, setTab] = useUrlValue("tab", "list");
  return (
    <PageFrame
      title="Incidents"
      description="What is known to be wrong, since when, and how much of the fleet it concerns."
    >
      <Tabs
        aria-label="Views of incidents"
        activeKey={tab === "groups" ? "groups" : "list"}
        onSelect={(_event, key) => {
          setTab(String(key));
        }}
        mountOnEnter
        unmountOnExit
      >
        <Tab eventKey="list" title={<TabTitleText>By urgency</TabTitleText>}>
          <TabContentBody className="sg-tab">
            <IncidentsTab />
          </TabContentBody>
        </Tab>
        <Tab eventKey="groups" title={<TabTitleText>Groups</TabTitleText>}>
          <TabContentBody className="sg-tab">
            <GroupsTab />
          </TabContentBody>
        </Tab>
      </Tabs>
    </PageFrame>
  );
}
