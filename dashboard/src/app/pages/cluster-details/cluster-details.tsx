import { Tab, TabContentBody, Tabs, TabTitleText } from "@patternfly/react-core";
import { useParams } from "react-router";

import { paths } from "@app/Routes";
import { Loaded } from "@app/components/loaded";
import { PageFrame } from "@app/components/page-frame";
import { StatusLabel } from "@app/components/status-label";
import { useTab } from "@app/hooks/url-state";
import { useCluster } from "@app/queries/clusters";

import { Coverage } from "./coverage";
import { Namespaces } from "./namespaces";
import { Nodes } from "./nodes";
import { Scans } from "./scans";
import { Summary } from "./summary";

const SUMMARY = "summary";

export default function ClusterDetails() {
  const { name = "" } = useParams();
  const cluster = useCluster(name);
  const [tab, setTab] = useTab(SUMMARY);
  const row = cluster.data?.data;
  return (
    <PageFrame
      title={name}
      status={row !== undefined && <StatusLabel of="cluster" value={row.status} />}
      description={
        row !== undefined && row.status_reasons.length > 0 ? `${row.status_reasons.join("; ")}.` : undefined
      }
      breadcrumbs={[["Clusters", paths.clusters]]}
    >
      <Tabs
        activeKey={tab}
        onSelect={(_event, key) => {
          setTab(String(key));
        }}
        mountOnEnter
        unmountOnExit
        aria-label={`Parts of ${name}`}
      >
        <Tab eventKey={SUMMARY} title={<TabTitleText>Summary</TabTitleText>}>
          <TabContentBody className="sg-tab">
            <Loaded query={cluster} rows={10}>
              {({ data }) => <Summary cluster={data} />}
            </Loaded>
          </TabContentBody>
        </Tab>
        <Tab eventKey="nodes" title={<TabTitleText>Nodes</TabTitleText>}>
          <TabContentBody className="sg-tab">
            <Nodes cluster={name} />
          </TabContentBody>
        </Tab>
        <Tab eventKey="namespaces" title={<TabTitleText>Namespaces</TabTitleText>}>
          <TabContentBody className="sg-tab">
            <Namespaces cluster={name} />
          </TabContentBody>
        </Tab>
        <Tab eventKey="scans" title={<TabTitleText>Scans</TabTitleText>}>
          <TabContentBody className="sg-tab">
            <Scans cluster={name} />
          </TabContentBody>
        </Tab>
        <Tab eventKey="coverage" title={<TabTitleText>Coverage</TabTitleText>}>
          <TabContentBody className="sg-tab">
            <Loaded query={cluster} rows={10}>
              {({ data }) => <Coverage kinds={data.kinds} />}
            </Loaded>
          </TabContentBody>
        </Tab>
      </Tabs>
    </PageFrame>
  );
}
