import { Card, CardBody, Flex } from "@patternfly/react-core";
import { Link } from "react-router";

import { KeyValue } from "@app/components/key-value";
import { ClusterLinks, CountLink } from "@app/components/links";
import { NotKnown } from "@app/components/not-known";
import { StatusLabel } from "@app/components/status-label";
import { Age } from "@app/components/times";
import { className, stageName, wordsOf } from "@app/labels";
import { Begins } from "@app/pages/lab-list/lab-table";
import { ReadyBar } from "@app/pages/lab-list/ready-bar";
import type { LabDetail } from "@app/queries/labs";
import { paths, to, withQuery } from "@app/Routes";

/** How the lab stands: the answer before any tab. */
export function LabSummary({ lab }: { lab: LabDetail }) {
  const { next_session: session, smoke } = lab;
  return (
    <Card>
      <CardBody>
        <KeyValue
          columns={3}
          facts={[
            ["Ready", <ReadyBar key="ready" counts={lab.instances} />],
            ["Instances", <States key="states" lab={lab} />],
            [
              "Open incidents",
              <CountLink
                key="incidents"
                count={lab.open_incidents}
                to={withQuery(paths.incidents, { lab: lab.code, covered: "1" })}
                what="open incidents"
              />,
            ],
            [
              "Fails first at",
              lab.worst_stage == null ? (
                "Nothing fails"
              ) : (
                <Link to={to.lab(lab.code, { stage: lab.worst_stage })}>
                  {stageName(lab.worst_stage)}
                  {lab.top_class != null && `: ${className(lab.top_class)}`}
                </Link>
              ),
            ],
            ["Failing since", <Age key="since" at={lab.failing_since} none="not failing" />],
            [
              "Next session",
              session == null ? (
                "None scheduled, or the schedule is not known"
              ) : (
                <Flex key="session" columnGap={{ default: "columnGapSm" }}>
                  <Link to={to.lab(lab.code, { tab: "sessions" })}>
                    <Begins at={session.starts_at} />
                    {session.room != null && `, ${session.room}`}
                    {session.attendees != null && `, ${session.attendees} attendees`}
                  </Link>
                  <StatusLabel of="verdict" value={session.verdict} isCompact />
                </Flex>
              ),
            ],
            [
              "Smoke run",
              smoke == null ? <NotKnown key="smoke" why="No smoke run is known" /> : smokeText(smoke),
            ],
            ["Mapping", <StatusLabel key="mapping" of="mapping" value={lab.mapping} isCompact />],
            ["Clusters", <ClusterLinks key="clusters" names={lab.clusters} most={3} />],
            ["Catalog items", lab.catalog_items.length === 0 ? "None known" : lab.catalog_items.join(", ")],
          ]}
        />
      </CardBody>
    </Card>
  );
}

/** Counts by state, each leading to its instances; states without any are left out. */
function States({ lab }: { lab: LabDetail }) {
  const counts = lab.instances as Readonly<Record<string, number>>;
  const there = wordsOf("state").filter(({ value }) => (counts[value] ?? 0) > 0);
  return (
    <Flex columnGap={{ default: "columnGapMd" }}>
      {there.map(({ value, label }) => (
        <CountLink
          key={value}
          count={counts[value]}
          to={to.lab(lab.code, { tab: "instances", state: value })}
          what={`${label.toLowerCase()} instances`}
        >
          {` ${label.toLowerCase()}`}
        </CountLink>
      ))}
    </Flex>
  );
}

/** What the newest smoke run came to. Its system does not say when it ran. */
export function smokeText(smoke: NonNullable<LabDetail["smoke"]>): string {
  if (smoke.total == null) return `${smoke.status}, no counts`;
  const failed = smoke.failed == null ? "failures not known" : `${String(smoke.failed)} failed`;
  return `${String(smoke.completed ?? "?")} of ${String(smoke.total)} learners came through, ${failed}`;
}
