import { Link, useSearchParams } from "react-router";

import { pathOfHit } from "@app/Routes";
import type { Row } from "@app/client/types";
import { DataTable, type Column } from "@app/components/data-table";
import { FilterToolbar } from "@app/components/filter-toolbar";
import { Loaded } from "@app/components/loaded";
import { PageFrame } from "@app/components/page-frame";
import { StatusLabel } from "@app/components/status-label";
import { useUrlState } from "@app/hooks/url-state";
import { humanized, shownAs } from "@app/labels";
import { SHORTEST, useSearch } from "@app/queries/search";

type Hit = Row<"/api/v1/search">;

/** How a hit stands, in the words of its kind. */
function Status({ hit }: { hit: Hit }) {
  if (hit.kind === "cluster") return <StatusLabel of="cluster" value={hit.status} />;
  if (hit.kind === "instance" || hit.kind === "lab") return <StatusLabel of="state" value={hit.status} />;
  return <>{humanized(hit.status)}</>;
}

const COLUMNS: Column<Hit>[] = [
  { title: "Name", width: 50, cell: (hit) => <Link to={pathOfHit(hit)}>{hit.title}</Link> },
  { title: "What it is", cell: (hit) => shownAs("hit", hit.kind).text },
  { title: "How it stands", cell: (hit) => <Status hit={hit} /> },
];

export default function Search() {
  const [params] = useSearchParams();
  const url = useUrlState({ one: ["q"] });
  const q = (params.get("q") ?? "").trim();
  const hits = useSearch(q);
  return (
    <PageFrame
      title="Search"
      description="Any guid, namespace, lab code, failure class or cluster, by the beginning of its name."
    >
      <FilterToolbar url={url} search={{ label: "Search everything", placeholder: "At least two letters" }} />
      {q.length >= SHORTEST && (
        <Loaded
          query={hits}
          rows={8}
          notes={false}
          empty={{
            title: "Nothing is called so",
            reason: `No cluster, lab, instance or failure class is named like ${q}.`,
          }}
        >
          {({ data }) => (
            <DataTable
              label={`Found for ${q}`}
              columns={COLUMNS}
              rows={data}
              rowKey={(hit) => `${hit.kind} ${hit.key}`}
            />
          )}
        </Loaded>
      )}
    </PageFrame>
  );
}
