import { Card, CardBody, CardHeader, CardTitle, Flex, FlexItem, Gallery } from "@patternfly/react-core";
import { Link } from "react-router";

import { paths, to, withQuery } from "@app/Routes";
import type { Schemas } from "@app/client/types";
import { NotKnown } from "@app/components/not-known";

type Number = {
  name: string;
  count: number | null | undefined;
  path: string;
  tone?: "bad" | "open";
};
type Tile = { title: string; path: string; lead: Number; more: Number[]; why?: string | null };

/** What an operator counts first, each count a way to what it counts. */
function tilesOf(overview: Schemas["Overview"]): Tile[] {
  const { instances, incidents, sessions_next: sessions, provisioning } = overview;
  const ofState = (state: string) => withQuery(paths.instances, { state });
  const ofSeverity = (severity: string) => withQuery(paths.incidents, { state: "open", severity });
  const ofVerdict = (verdict: string) => to.provisioning("sessions", { verdict });
  return [
    {
      title: "Lab instances",
      path: paths.instances,
      lead: { name: "failing", count: instances.failing, path: ofState("failing"), tone: "bad" },
      more: [
        { name: "warning", count: instances.warning, path: ofState("warning") },
        { name: "ready", count: instances.ready, path: ofState("ready") },
        { name: "unknown", count: instances.unknown, path: ofState("unknown"), tone: "open" },
      ],
    },
    {
      title: `Sessions in the next ${sessions.window_h} h`,
      path: to.provisioning("sessions"),
      why: sessions.unknown_reason,
      lead: { name: "not ready", count: sessions.not_ready, path: ofVerdict("not_ready"), tone: "bad" },
      more: [
        { name: "at risk", count: sessions.at_risk, path: ofVerdict("at_risk") },
        { name: "ready", count: sessions.ready, path: ofVerdict("ready") },
        { name: "not known", count: sessions.unknown, path: ofVerdict("unknown"), tone: "open" },
      ],
    },
    {
      title: "Open incidents",
      path: withQuery(paths.incidents, { state: "open" }),
      lead: { name: "critical", count: incidents.critical, path: ofSeverity("critical"), tone: "bad" },
      more: [
        { name: "high", count: incidents.high, path: ofSeverity("high") },
        { name: "medium", count: incidents.medium, path: ofSeverity("medium") },
        { name: "low", count: incidents.low, path: ofSeverity("low") },
      ],
    },
    {
      title: "Provisioning",
      path: paths.provisioning,
      why: provisioning.unknown_reason,
      lead: {
        name: "failed",
        count: provisioning.failed,
        path: to.provisioning("subjects", { class: ["failed_terminal", "failed_retrying"] }),
        tone: "bad",
      },
      more: [
        {
          name: "stuck",
          count: provisioning.stuck,
          path: to.provisioning("subjects", { stuck: "true" }),
        },
        {
          name: "in progress",
          count: provisioning.in_progress,
          path: to.provisioning("subjects", { class: "in_progress" }),
        },
        { name: "subjects", count: provisioning.subjects, path: to.provisioning("subjects") },
      ],
    },
  ];
}

export function Tiles({ overview }: { overview: Schemas["Overview"] }) {
  return (
    <Gallery hasGutter minWidths={{ default: "100%", md: "45%", xl: "22%" }}>
      {tilesOf(overview).map((tile) => (
        <Card key={tile.title} isCompact component="section" aria-label={tile.title}>
          <CardHeader>
            <CardTitle component="h3">
              <Link to={tile.path}>{tile.title}</Link>
            </CardTitle>
          </CardHeader>
          <CardBody>
            <Flex alignItems={{ default: "alignItemsBaseline" }} columnGap={{ default: "columnGapMd" }}>
              <One number={tile.lead} why={tile.why} isLead />
              {tile.more.map((number) => (
                <One key={number.name} number={number} why={tile.why} />
              ))}
            </Flex>
          </CardBody>
        </Card>
      ))}
    </Gallery>
  );
}

function One({
  number,
  why,
  isLead = false,
}: {
  number: Number;
  why: string | null | undefined;
  isLead?: boolean;
}) {
  const { name, count, path, tone } = number;
  const loud = tone !== undefined && count !== 0 && count !== null ? ` sg-tone-${tone}` : "";
  return (
    <FlexItem className={isLead ? `sg-lead${loud}` : `sg-count${loud}`}>
      {count === null || count === undefined ? (
        <>
          <NotKnown why={why} /> {name}
        </>
      ) : (
        <Link to={path}>
          <strong>{count.toLocaleString("en")}</strong> {name}
        </Link>
      )}
    </FlexItem>
  );
}
