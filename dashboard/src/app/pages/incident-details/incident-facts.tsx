import { Card, CardBody } from "@patternfly/react-core";
import { Link } from "react-router";

import { KeyValue } from "@app/components/key-value";
import { ClusterLinks, LabLink } from "@app/components/links";
import { StatusLabel } from "@app/components/status-label";
import { Age } from "@app/components/times";
import { className, humanized, stageName } from "@app/labels";
import type { IncidentDetail } from "@app/queries/incidents";
import { to } from "@app/Routes";

/** What the incident is about, since when, and how far it reaches. */
export function IncidentFacts({ incident }: { incident: IncidentDetail }) {
  const { parent } = incident;
  return (
    <Card>
      <CardBody>
        <KeyValue
          columns={3}
          facts={[
            ["About", <StatusLabel key="scope" of="scope" value={incident.scope} isCompact />],
            [
              "Instance",
              incident.instance_id == null ? undefined : (
                <Link key="instance" to={to.instance(incident.instance_id)}>
                  {incident.namespace ?? "Instance"}
                </Link>
              ),
            ],
            ["Stage", stageName(incident.stage)],
            ["Priority", `${incident.priority.toFixed(1)} of 10`],
            ["Began", <Age key="onset" at={incident.onset_at} />],
            ["Confirmed", <Age key="opened" at={incident.opened_at} />],
            [
              "Over",
              incident.resolved_at == null ? undefined : <Age key="resolved" at={incident.resolved_at} />,
            ],
            [
              "How it ended",
              incident.resolution == null ? undefined : (
                <StatusLabel key="resolution" of="resolution" value={incident.resolution} isCompact />
              ),
            ],
            ["Instances", incident.instances.toLocaleString("en")],
            ["Clusters", <ClusterLinks key="clusters" names={incident.clusters} most={3} />],
            [
              "Labs",
              incident.labs.length === 0
                ? "None known"
                : incident.labs.map((lab, i) => (
                    <span key={lab}>
                      {i > 0 && ", "}
                      <LabLink code={lab} />
                    </span>
                  )),
            ],
            ["More exactly", incident.sub_class == null ? undefined : humanized(incident.sub_class)],
            [
              "By the wording of its objects",
              incident.pattern_class == null || incident.pattern_class === incident.class
                ? undefined
                : className(incident.pattern_class),
            ],
            [
              "Covered by",
              parent == null ? undefined : (
                <Link key="parent" to={to.incident(parent.id)}>
                  {parent.message}
                </Link>
              ),
            ],
          ]}
        />
      </CardBody>
    </Card>
  );
}
