import { Switch } from "@patternfly/react-core";
import { Link } from "react-router";

import { FilterToolbar } from "@app/components/filter-toolbar";
import { Loaded } from "@app/components/loaded";
import { PageFrame } from "@app/components/page-frame";
import { useUrlState } from "@app/hooks/url-state";
import { STAGE_OPTIONS, wordsOf } from "@app/labels";
import { useClassFacet } from "@app/pages/incident-list/class-facet";
import { asOption } from "@app/pages/instance-list/instance-filters";
import { useClusters } from "@app/queries/clusters";
import { useLabs } from "@app/queries/labs";
import { to } from "@app/Routes";

import { LabTable } from "./lab-table";
import { UNMAPPED, tally, type Tally } from "./tally";

const STATES = wordsOf("state").filter(({ value }) => value !== "gone");

/** All labs, those with issues first; what is well is hidden, and counted. */
export default function LabList() {
  const url = useUrlState({
    many: ["cluster", "state", "stage", "class"],
    one: ["q", "health"],
    sort: "-failing",
  });
  const { health, ...filters } = url.values;
  const showsAll = health === "all";
  const labs = useLabs({ ...url.query, health: showsAll ? "all" : "issues" });
  // Everything that the other filters leave, for the number of hidden labs.
  const everything = useLabs({ ...filters, health: "all", limit: 200 });
  const counts = everything.data === undefined ? null : tally(everything.data);
  const clusters = useClusters({ limit: 200 });
  const classes = useClassFacet(url.values.class);
  const facets = [
    { name: "state", title: "With instances", options: STATES },
    { name: "stage", title: "Fails first at", options: STAGE_OPTIONS },
    classes,
    {
      name: "cluster",
      title: "Cluster",
      options: (clusters.data?.data ?? []).map(({ name }) => asOption(name)),
    },
  ];
  const isFiltered = Object.values(filters).some((value) => value !== undefined && value.length > 0);
  return (
    <PageFrame title="Labs" description={<Summary counts={counts} />}>
      <FilterToolbar
        url={url}
        facets={facets}
        search={{ label: "Find by code or title", placeholder: "Code or title" }}
      >
        <IssuesOnly
          showsAll={showsAll}
          counts={counts}
          onChange={(all) => {
            url.update({ health: all ? "all" : undefined });
          }}
        />
      </FilterToolbar>
      <Loaded
        query={labs}
        rows={12}
        filter={{ isFiltered, clear: url.clear }}
        empty={
          showsAll || counts === null || counts.labs === 0
            ? { title: "No labs", reason: "No namespace of a lab was found on any cluster that was read." }
            : {
                title: "No lab has issues",
                reason: "Nothing fails, warns or is unknown. Switch off “Only labs with issues” to see all.",
              }
        }
      >
        {({ data, page }) => <LabTable rows={data} page={page} url={url} />}
      </Loaded>
    </PageFrame>
  );
}

type IssuesOnlyProps = { showsAll: boolean; counts: Tally | null; onChange: (showsAll: boolean) => void };

function IssuesOnly({ showsAll, counts, onChange }: IssuesOnlyProps) {
  const hidden = counts === null || showsAll ? null : counts.healthy;
  return (
    <Switch
      id="issues-only"
      label={hidden === null ? "Only labs with issues" : `Only labs with issues (${hidden} hidden)`}
      isChecked={!showsAll}
      onChange={(_event, checked) => {
        onChange(!checked);
      }}
    />
  );
}

/** Where the labs stand in a sentence, and who belongs to none: those are never dropped silently. */
function Summary({ counts }: { counts: Tally | null }) {
  if (counts === null) return <>What people ordered, and how their instances stand.</>;
  return (
    <>
      {counts.text}
      {counts.unmapped > 0 && (
        <>
          {" "}
          <Link to={to.lab(UNMAPPED)}>
            {counts.unmapped} {counts.unmapped === 1 ? "instance belongs" : "instances belong"} to no known
            lab
          </Link>
          .
        </>
      )}
    </>
  );
}
