import {
  SearchInput,
  Toolbar,
  ToolbarContent,
  ToolbarFilter,
  ToolbarGroup,
  ToolbarItem,
} from "@patternfly/react-core";
import { useEffect, useState, type ReactNode } from "react";

import { FacetSelect, type FacetOption } from "./facet-select";

export type Facet = {
  /** The filter's name in the address and the API. */
  name: string;
  title: string;
  options: readonly FacetOption[];
};

type Words = string | readonly string[] | undefined;

/** The part of the address state that filters need. */
export type FilterState = {
  readonly values: Readonly<Record<string, Words>>;
  // A method: a page's own names are checked where it uses them.
  update(patch: Record<string, Words>): void;
  clear: () => void;
};

type Props = {
  url: FilterState;
  facets?: readonly Facet[];
  /** A search in the list: the parameter `q`. */
  search?: { label: string; placeholder: string };
  /** At the right: switches, counts. */
  children?: ReactNode;
};

const SEARCH = "q";
const SETTLE_MS = 300;

/** The filters of a list, each with its chips; all of them are in the address. */
export function FilterToolbar({ url, facets = [], search, children }: Props) {
  return (
    <Toolbar
      clearAllFilters={url.clear}
      clearFiltersButtonText="Clear all filters"
      inset={{ default: "insetNone" }}
    >
      <ToolbarContent>
        {search !== undefined && (
          <ToolbarItem>
            <SearchBoxOfList url={url} search={search} />
          </ToolbarItem>
        )}
        <ToolbarGroup variant="filter-group" rowWrap={{ default: "wrap" }}>
          {facets.map((facet) => (
            <FacetFilter key={facet.name} url={url} facet={facet} />
          ))}
        </ToolbarGroup>
        {children !== undefined && <ToolbarItem align={{ default: "alignEnd" }}>{children}</ToolbarItem>}
      </ToolbarContent>
    </Toolbar>
  );
}

function FacetFilter({ url, facet }: { url: Props["url"]; facet: Facet }) {
  const value = url.values[facet.name];
  const chosen = value === undefined ? [] : typeof value === "string" ? [value] : value;
  const choose = (next: readonly string[]) => {
    url.update({ [facet.name]: next });
  };
  const label = (word: string) => facet.options.find((option) => option.value === word)?.label ?? word;
  return (
    <ToolbarFilter
      categoryName={{ key: facet.name, name: facet.title }}
      labels={chosen.map((word) => ({ key: word, node: label(word) }))}
      deleteLabel={(_category, chip) => {
        const key = typeof chip === "string" ? chip : chip.key;
        choose(chosen.filter((word) => word !== key));
      }}
      deleteLabelGroup={() => {
        choose([]);
      }}
    >
      <FacetSelect title={facet.title} options={facet.options} chosen={chosen} onChoose={choose} />
    </ToolbarFilter>
  );
}

function SearchBoxOfList({ url, search }: { url: Props["url"]; search: NonNullable<Props["search"]> }) {
  const given = url.values[SEARCH];
  const inAddress = typeof given === "string" ? given : "";
  const [text, setText] = useState(inAddress);
  const [seen, setSeen] = useState(inAddress);
  // The address changed elsewhere: by a link, or by going back.
  if (seen !== inAddress) {
    setSeen(inAddress);
    setText(inAddress);
  }
  useEffect(() => {
    const wanted = text.trim();
    if (wanted === inAddress) return;
    const timer = setTimeout(() => {
      url.update({ [SEARCH]: wanted });
    }, SETTLE_MS);
    return () => {
      clearTimeout(timer);
    };
  });
  return (
    <SearchInput
      aria-label={search.label}
      placeholder={search.placeholder}
      value={text}
      onChange={(_event, value) => {
        setText(value);
      }}
      onClear={() => {
        setText("");
        url.update({ [SEARCH]: undefined });
      }}
    />
  );
}
