import { Switch } from "@patternfly/react-core";
import { useState } from "react";

import { FilterToolbar } from "@app/components/filter-toolbar";
import { Loaded } from "@app/components/loaded";
import { useUrlState } from "@app/hooks/url-state";
import { STAGE_OPTIONS, wordsOf } from "@app/labels";
import { asOption } from "@app/pages/instance-list/instance-filters";
import { useClusters } from "@app/queries/clusters";
import { useIncidents } from "@app/queries/incidents";
import { useLabs } from "@app/queries/labs";
import { useNow } from "@app/time";

import { useClassFacet } from "./class-facet";
import { BY_PRIORITY, IncidentTable } from "./incident-table";
import { SPANS, sinceOf } from "./since";

const SCOPES = ["instance", "cluster", "catalog_item", "fleet"];
const MANY = ["state", "severity", "class", "scope", "stage", "cluster", "lab", "within"] as const;

/** Incidents one by one, the most urgent first. What another incident covers is told by that one. */
export function IncidentsTab() {
  const url = useUrlState({ many: MANY, one: ["covered"], sort: BY_PRIORITY });
  const { within, covered, ...filters } = url.values;
  const span = within.at(-1);
  const since = useSince(span);
  const showsCovered = covered === "1";
  const incidents = useIncidents({
    ...filters,
    sort: url.sort,
    cursor: url.cursor,
    since,
    top_level: !showsCovered,
  });
  const clusters = useClusters({ limit: 200 });
  const labs = useLabs({ limit: 200, sort: "code" });
  const classes = useClassFacet(url.values.class);
  const facets = [
    { name: "state", title: "State", options: wordsOf("incident") },
    { name: "severity", title: "Severity", options: wordsOf("severity") },
    classes,
    { name: "stage", title: "Stage", options: STAGE_OPTIONS },
    {
      name: "scope",
      title: "About",
      options: wordsOf("scope").filter(({ value }) => SCOPES.includes(value)),
    },
    {
      name: "cluster",
      title: "Cluster",
      options: (clusters.data?.data ?? []).map(({ name }) => asOption(name)),
    },
    { name: "lab", title: "Lab", options: (labs.data?.data ?? []).map(({ code }) => asOption(code)) },
    { name: "within", title: "Opened", options: SPANS },
  ];
  const isFiltered = Object.values(url.values).some((value) => value !== undefined && value.length > 0);
  return (
    <>
      <FilterToolbar url={url} facets={facets}>
        <Switch
          id="covered"
          label="Also what another incident covers"
          isChecked={showsCovered}
          onChange={(_event, checked) => {
            url.update({ covered: checked ? "1" : undefined });
          }}
        />
      </FilterToolbar>
      <Loaded
        query={incidents}
        rows={12}
        filter={{ isFiltered, clear: url.clear }}
        empty={{
          title: "No open incidents",
          reason: "Nothing is known to be wrong. What is unknown is not an incident.",
        }}
      >
        {({ data, page }) => <IncidentTable label="Incidents" rows={data} page={page} url={url} />}
      </Loaded>
    </>
  );
}

/** The begin of a span, counted once from when it was chosen: the list does not creep while somebody reads it. */
function useSince(span: string | undefined): string | undefined {
  const now = useNow();
  const [cut, setCut] = useState({ span, since: sinceOf(span, now) });
  if (cut.span !== span) setCut({ span, since: sinceOf(span, now) });
  return cut.since;
}
