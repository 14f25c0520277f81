import { Button, Content, List, ListItem } from "@patternfly/react-core";
import { Link } from "react-router";

import { FilterToolbar } from "@app/components/filter-toolbar";
import { Loaded, SkeletonRows } from "@app/components/loaded";
import { StatusLabel } from "@app/components/status-label";
import { Timestamp } from "@app/components/times";
import { useUrlState } from "@app/hooks/url-state";
import { className, stageName } from "@app/labels";
import { useIncidentPages } from "@app/queries/incidents";
import { useLabSessions, useTransitions } from "@app/queries/labs";
import { to } from "@app/Routes";
import { useNow } from "@app/time";

import { mergeTimeline, type TimelineEntry } from "./timeline";

const KINDS = [
  { value: "transition", label: "Changes of stages" },
  { value: "incident", label: "Incidents" },
  { value: "session", label: "Sessions" },
];
const ALL_PHASES = ["running", "upcoming", "no_time", "over"];
const A_PAGE = 50;

/** What happened to the lab, newest first. */
export function TimelineTab({ code }: { code: string }) {
  const url = useUrlState({ many: ["what"] });
  const transitions = useTransitions({ lab: [code], limit: A_PAGE });
  const incidents = useIncidentPages({
    lab: [code],
    state: ["open", "resolved"],
    sort: "-opened_at",
    limit: A_PAGE,
  });
  const sessions = useLabSessions(code, { phase: ALL_PHASES, limit: 200 });
  const now = useNow();
  const { entries, behind } = mergeTimeline(
    { rows: transitions.data?.pages.flatMap((page) => page.data) ?? [], hasMore: transitions.hasNextPage },
    { rows: incidents.data?.pages.flatMap((page) => page.data) ?? [], hasMore: incidents.hasNextPage },
    sessions.data?.data ?? [],
    now,
  );
  const wanted = url.values.what;
  const shown = entries.filter(({ kind }) => wanted.length === 0 || wanted.includes(kind));
  const isReading = transitions.isFetchingNextPage || incidents.isFetchingNextPage;
  const isComplete = transitions.data !== undefined && incidents.data !== undefined;
  return (
    <>
      <FilterToolbar url={url} facets={[{ name: "what", title: "What happened", options: KINDS }]} />
      {/* Each list tells its own trouble: what was read of the others stays. */}
      <Loaded query={transitions} isEmpty={() => false} notes={false}>
        {() => null}
      </Loaded>
      <Loaded query={incidents} isEmpty={() => false} notes={false} skeleton={<SkeletonRows rows={2} />}>
        {() => null}
      </Loaded>
      <Loaded query={sessions} isEmpty={() => false} notes={false} skeleton={<span />}>
        {() => null}
      </Loaded>
      <List isPlain isBordered aria-label={`What happened to ${code}`}>
        {shown.map((entry) => (
          <ListItem key={`${entry.kind}-${entry.id}`}>
            <Timestamp at={entry.at} /> <Entry entry={entry} />
          </ListItem>
        ))}
      </List>
      {isComplete && shown.length === 0 && (
        <Content component="p">
          {behind.length > 0
            ? "Nothing of this kind in what was read so far."
            : "Nothing happened since the lab is watched."}
        </Content>
      )}
      {behind.length > 0 && (
        <Button
          variant="secondary"
          isLoading={isReading}
          isDisabled={isReading}
          onClick={() => {
            if (behind.includes("transitions")) void transitions.fetchNextPage();
            if (behind.includes("incidents")) void incidents.fetchNextPage();
          }}
        >
          Load earlier
        </Button>
      )}
    </>
  );
}

function Entry({ entry }: { entry: TimelineEntry }) {
  switch (entry.kind) {
    case "transition": {
      const { transition: it } = entry;
      const failureClass = it.to_class ?? it.from_class;
      return (
        <>
          <StatusLabel of="direction" value={it.direction} isCompact /> {stageName(it.stage)}
          {failureClass != null && `, ${className(failureClass).toLowerCase()}`}
          {it.instance_id != null && (
            <>
              {" in "}
              <Link to={to.instance(it.instance_id)}>{it.namespace ?? "an instance"}</Link>
            </>
          )}
          {` on ${it.cluster}`}
        </>
      );
    }
    case "incident": {
      const { incident: it } = entry;
      return (
        <>
          <StatusLabel of="severity" value={it.severity} isCompact />{" "}
          <Link to={to.incident(it.id)}>Incident: {className(it.class).toLowerCase()}</Link>
          {it.namespace != null && ` in ${it.namespace}`}{" "}
          <StatusLabel of="incident" value={it.state} isCompact />
        </>
      );
    }
    case "session":
      return (
        <>
          Session {entry.edge}
          {entry.session.room != null && ` in ${entry.session.room}`}
        </>
      );
  }
}
