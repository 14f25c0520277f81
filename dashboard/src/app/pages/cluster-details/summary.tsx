import { Grid, GridItem, Stack, StackItem } from "@patternfly/react-core";

import { paths, withQuery } from "@app/Routes";
import type { Data } from "@app/client/types";
import { KeyValue } from "@app/components/key-value";
import { CountLink } from "@app/components/links";
import { LoadMeter } from "@app/components/meter";
import { Count, NotKnown } from "@app/components/not-known";
import { Panel } from "@app/components/panel";
import { StatusLabel } from "@app/components/status-label";
import { Age } from "@app/components/times";
import { nodesText } from "@app/pages/cluster-list/cluster-table";
import { className, shownAs } from "@app/labels";

import { Health } from "./health";

export type Cluster = Data<"/api/v1/clusters/{name}">;

const STATES = ["failing", "warning", "unknown", "provisioning", "ready", "stopped", "terminating"] as const;

/** How a cluster stands: its health, its load, and what runs on it. */
export function Summary({ cluster }: { cluster: Cluster }) {
  return (
    <Grid hasGutter>
      <GridItem span={12} xl={7}>
        <Health health={cluster.health} />
      </GridItem>
      <GridItem span={12} xl={5}>
        <Stack hasGutter>
          <StackItem>
            <Panel title="Capacity">
              <Capacity cluster={cluster} />
            </Panel>
          </StackItem>
          <StackItem>
            <Panel title="Lab instances">
              <KeyValue
                columns={2}
                facts={STATES.map((state) => [
                  shownAs("state", state).text,
                  <CountLink
                    key={state}
                    count={cluster.instances[state]}
                    to={withQuery(paths.instances, { cluster: cluster.name, state })}
                    what={`${state} instances on ${cluster.name}`}
                  />,
                ])}
              />
            </Panel>
          </StackItem>
          {cluster.top_classes.length > 0 && (
            <StackItem>
              <Panel title="What they fail with">
                <KeyValue
                  columns={2}
                  facts={cluster.top_classes.map((one) => [
                    className(one.class),
                    <CountLink
                      key={one.class}
                      count={one.instances}
                      to={withQuery(paths.instances, { cluster: cluster.name, class: one.class })}
                      what={`instances with ${className(one.class)}`}
                    />,
                  ])}
                />
              </Panel>
            </StackItem>
          )}
        </Stack>
      </GridItem>
    </Grid>
  );
}

function Capacity({ cluster }: { cluster: Cluster }) {
  const reachable =
    cluster.api_reachable === null || cluster.api_reachable === undefined ? (
      <NotKnown />
    ) : cluster.api_reachable ? (
      "reachable"
    ) : (
      "not reachable"
    );
  return (
    <KeyValue
      columns={2}
      facts={[
        ["Mean CPU", <LoadMeter key="cpu" what="Mean CPU" percent={cluster.cpu_pct} />],
        ["Mean memory", <LoadMeter key="mem" what="Mean memory" percent={cluster.mem_pct} />],
        ["Nodes ready", nodesText(cluster.nodes) ?? <NotKnown key="nodes" />],
        ["VMs", <Count key="vms" value={cluster.vms} />],
        [
          "VMs per node",
          cluster.vms_per_node === null || cluster.vms_per_node === undefined ? (
            <NotKnown key="density" />
          ) : (
            cluster.vms_per_node.toFixed(1)
          ),
        ],
        ["OpenShift", cluster.openshift_version ?? <NotKnown key="version" />],
        ["API", reachable],
        ["Status since", <Age key="since" at={cluster.status_since} />],
        ["Source", <StatusLabel key="source" of="source" value={cluster.source} isCompact />],
        ["Read", <Age key="read" at={cluster.observed_at} none="never" />],
      ]}
    />
  );
}
