import { KeyValue } from "@app/components/key-value";
import { ClusterLinks, LabLink } from "@app/components/links";
import { NotKnown } from "@app/components/not-known";
import { StatusLabel } from "@app/components/status-label";
import { Age } from "@app/components/times";
import { kindName } from "@app/pages/instance-list/instance-filters";
import type { InstanceDetail } from "@app/queries/instances";
import { Card, CardBody } from "@patternfly/react-core";

/** What the instance is, where, and since when it stands as it does. */
export function InstanceFacts({ instance }: { instance: InstanceDetail }) {
  return (
    <Card>
      <CardBody>
        <KeyValue
          columns={3}
          facts={[
            ["Lab", <LabLink key="lab" code={instance.lab} />],
            ["Cluster", <ClusterLinks key="cluster" names={[instance.cluster]} />],
            ["Kind", kindName(instance.kind)],
            ["State since", <Age key="changed" at={instance.changed_at} />],
            ["Failing since", <Age key="onset" at={instance.onset_at} none="not failing" />],
            ["Created", <Age key="created" at={instance.created_at} />],
            ["Ordered", instance.catalog_item ?? <NotKnown key="item" why="No catalog item is joined" />],
            ["Guid", instance.guid ?? <NotKnown key="guid" />],
            ["Mapping", <StatusLabel key="mapping" of="mapping" value={instance.mapping} isCompact />],
            ["Intent", <StatusLabel key="intent" of="intent" value={instance.intent} isCompact />],
            ["Phase", <StatusLabel key="phase" of="phase" value={instance.phase} isCompact />],
            ["Last judged", <Age key="judged" at={instance.last_evaluated_at} />],
          ]}
        />
      </CardBody>
    </Card>
  );
}
