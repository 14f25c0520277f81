import { Content, List, ListItem } from "@patternfly/react-core";
import { Link } from "react-router";

import { Panel } from "@app/components/panel";
import { StatusLabel } from "@app/components/status-label";
import { Age, Timestamp } from "@app/components/times";
import { className, stageName } from "@app/labels";
import type { InstanceDetail, WhyAnswer } from "@app/queries/instances";
import { to } from "@app/Routes";

import { sentence } from "./chain";

/** What nobody knows of the instance, and why: said plainly. */
export function GapsPanel({ gaps }: { gaps: WhyAnswer["not_known"] }) {
  return (
    <Panel title="What is not known">
      {gaps.length === 0 ? (
        <Content component="p">Everything that StarGate looks for is known.</Content>
      ) : (
        <List isPlain isBordered aria-label="What is not known">
          {gaps.map((gap) => (
            <ListItem key={`${gap.what} ${gap.why}`}>
              <strong>{sentence(gap.what).replace(/\.$/, "")}</strong>: {gap.why}
            </ListItem>
          ))}
        </List>
      )}
    </Panel>
  );
}

/** Its incidents, the open ones first. */
export function IncidentsPanel({ incidents }: { incidents: InstanceDetail["incidents"] }) {
  const sorted = incidents.toSorted((a, b) => Number(b.state === "open") - Number(a.state === "open"));
  return (
    <Panel title="Incidents">
      {sorted.length === 0 ? (
        <Content component="p">It never had an incident.</Content>
      ) : (
        <List isPlain isBordered aria-label="Incidents">
          {sorted.map((incident) => (
            <ListItem key={incident.id}>
              <Link to={to.incident(incident.id)}>{className(incident.class)}</Link>{" "}
              <StatusLabel of="severity" value={incident.severity} isCompact />{" "}
              <StatusLabel of="incident" value={incident.state} isCompact />
              <div className="sg-subtle">
                {stageName(incident.stage)}, began <Age at={incident.onset_at} />
              </div>
            </ListItem>
          ))}
        </List>
      )}
    </Panel>
  );
}

/** Confirmed changes, newest first. */
export function HistoryPanel({ transitions }: { transitions: InstanceDetail["transitions"] }) {
  return (
    <Panel title="History">
      {transitions.length === 0 ? (
        <Content component="p">Nothing changed since it is watched.</Content>
      ) : (
        <List isPlain isBordered aria-label="History">
          {transitions.map((one) => (
            <ListItem key={one.id}>
              <Timestamp at={one.at} /> <StatusLabel of="direction" value={one.direction} isCompact />{" "}
              {stageName(one.stage)}
              {(one.to_class ?? one.from_class) != null &&
                `, ${className(one.to_class ?? one.from_class).toLowerCase()}`}
            </ListItem>
          ))}
        </List>
      )}
    </Panel>
  );
}

/** Where it differs from what its definition demands; nothing when it does not. */
export function ViolationsPanel({ violations }: { violations: WhyAnswer["violations"] }) {
  if (violations.length === 0) return null;
  return (
    <Panel title="Differs from its definition">
      <List isPlain isBordered aria-label="Differences">
        {violations.map((one) => (
          <ListItem key={one.id}>
            <StatusLabel of="violation" value={one.kind} isCompact /> {one.expected}: {one.actual}
            <div className="sg-subtle">{sentence(one.detail)}</div>
          </ListItem>
        ))}
      </List>
    </Panel>
  );
}
