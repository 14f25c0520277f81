import { Content, Label, Tooltip } from "@patternfly/react-core";
import { Link } from "react-router";

import { DataTable, type Column } from "@app/components/data-table";
import { FilterToolbar } from "@app/components/filter-toolbar";
import { ClusterLinks, CountLink, LabLink } from "@app/components/links";
import { Loaded } from "@app/components/loaded";
import { StatusLabel } from "@app/components/status-label";
import { Age } from "@app/components/times";
import { useUrlState } from "@app/hooks/url-state";
import { className } from "@app/labels";
import { asOption } from "@app/pages/instance-list/instance-filters";
import { MemberTable } from "@app/pages/incident-details/members-panel";
import { useClusters } from "@app/queries/clusters";
import { useIncidentGroups, type IncidentGroup } from "@app/queries/incidents";
import { paths, to, withQuery } from "@app/Routes";

import { SPREADS, spreadOf, type Spread } from "./spread";

/** The group's classes, as the filter names them. */
const classesOf = (group: IncidentGroup) =>
  group.classes.map((one) => one.class).filter((one) => one !== "unclassified");

/** The incidents behind a group. */
const behind = (group: IncidentGroup) =>
  withQuery(paths.incidents, {
    class: classesOf(group),
    covered: "1",
  });

const COLUMNS: readonly Column<IncidentGroup>[] = [
  {
    title: "Severity",
    cell: (group) => (
      <StatusLabel
        of="severity"
        value={group.severity}
        hint={`Priority ${group.priority.toFixed(1)} of 10`}
      />
    ),
  },
  { title: "What", width: 25, cell: (group) => (group.class == null ? group.title : className(group.class)) },
  { title: "Reach", cell: (group) => <SpreadLabel spread={spreadOf(group)} /> },
  {
    title: "Instances",
    isNumeric: true,
    cell: (group) => (
      <CountLink count={group.instances} to={behind(group)} what={`incidents: ${group.title}`} />
    ),
  },
  {
    title: "Labs",
    isNumeric: true,
    cell: (group) => group.labs.length,
  },
  { title: "Clusters", cell: (group) => <ClusterLinks names={group.clusters} /> },
  { title: "Since", modifier: "nowrap", cell: (group) => <Age at={group.onset_at} /> },
];

/** What is wrong in at most ten lines: is it one lab, one cluster, or the platform? */
export function GroupsTab() {
  const url = useUrlState({ many: ["cluster"] });
  const groups = useIncidentGroups({ cluster: url.values.cluster });
  const clusters = useClusters({ limit: 200 });
  return (
    <>
      <FilterToolbar
        url={url}
        facets={[
          {
            name: "cluster",
            title: "Cluster",
            options: (clusters.data?.data ?? []).map(({ name }) => asOption(name)),
          },
        ]}
      />
      <Loaded
        query={groups}
        filter={url}
        isEmpty={({ data }) => data.groups.length === 0}
        empty={{
          title: "No open incidents",
          reason: "Nothing is known to be wrong. What is unknown is not an incident.",
        }}
      >
        {({ data }) => (
          <DataTable
            label="Groups of incidents"
            columns={COLUMNS}
            rows={data.groups}
            rowKey={(group) => group.title}
            expand={(group) => <Members group={group} />}
          />
        )}
      </Loaded>
    </>
  );
}

/** How far something reaches, with where to look first. */
export function SpreadLabel({ spread }: { spread: Spread }) {
  const { title, hint } = SPREADS[spread];
  return (
    <Tooltip content={hint}>
      <Label color={COLORS[spread]} tabIndex={0}>
        {title}
      </Label>
    </Tooltip>
  );
}

const COLORS = {
  single: "grey",
  one_lab: "blue",
  one_cluster: "blue",
  spreading: "orange",
  systemic: "red",
} as const;

/** The incidents that stand for some of the group: correlated, so likely of one cause. */
function Parents({ group }: { group: IncidentGroup }) {
  const [first, ...others] = group.parents;
  if (first === undefined) return null;
  const several = `${String(group.parents.length)} incidents stand for several of them`;
  return (
    <>
      {" "}
      {others.length === 0 ? (
        <Link to={to.incident(first)}>One incident stands for them</Link>
      ) : (
        <Link to={withQuery(paths.incidents, { class: classesOf(group) })}>{several}</Link>
      )}
      .
    </>
  );
}

function Members({ group }: { group: IncidentGroup }) {
  return (
    <>
      <Content component="p">
        {SPREADS[spreadOf(group)].hint}
        <Parents group={group} />
      </Content>
      {group.labs.length > 0 && (
        <Content component="p">
          Labs:{" "}
          {group.labs.map((lab, i) => (
            <span key={lab}>
              {i > 0 && ", "}
              <LabLink code={lab} />
            </span>
          ))}
        </Content>
      )}
      <MemberTable label={`Instances with ${group.title}`} members={group.members} />
      {group.members.length < group.instances && (
        <Content component="p">
          <Link to={behind(group)}>All {group.instances} instances</Link>
        </Content>
      )}
    </>
  );
}
