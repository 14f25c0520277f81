import { List, ListItem } from "@patternfly/react-core";
import type { ReactNode } from "react";

import { Panel } from "@app/components/panel";
import { StatusLabel } from "@app/components/status-label";
import { Timestamp } from "@app/components/times";
import { className } from "@app/labels";
import type { IncidentDetail } from "@app/queries/incidents";

import { historyOf, type HistoryEntry } from "./history";

/** The story of the incident, newest first. */
export function HistoryPanel({ incident }: { incident: IncidentDetail }) {
  return (
    <Panel title="Timeline">
      <List isPlain isBordered aria-label="Timeline">
        {historyOf(incident).map((entry) => (
          <ListItem key={`${entry.kind} ${entry.at}`}>
            <Timestamp at={entry.at} /> {textOf(entry)}
          </ListItem>
        ))}
      </List>
    </Panel>
  );
}

function textOf(entry: HistoryEntry): ReactNode {
  switch (entry.kind) {
    case "began":
      return "Began, as far as the evidence tells";
    case "confirmed":
      return "Confirmed, and opened";
    case "resolved":
      return entry.resolution === null ? (
        "Over"
      ) : (
        <>
          Over: <StatusLabel of="resolution" value={entry.resolution} isCompact />
        </>
      );
    case "class":
      return `Read as ${className(entry.to).toLowerCase()} instead of ${className(entry.from).toLowerCase()}`;
    case "covers":
      return `${many(entry.incidents.length)} opened under it`;
    case "covered_resolved":
      return `${many(entry.incidents.length)} under it over`;
  }
}

function many(count: number): string {
  return count === 1 ? "One incident" : `${String(count)} incidents`;
}
