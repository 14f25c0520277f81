import { useCallback, useMemo } from "react";
import { useSearchParams } from "react-router";

/** What a page keeps in its address. */
export type UrlSpec<M extends string, O extends string> = {
  /** Filters with several values: `?state=failing&state=warning`. */
  many?: readonly M[];
  /** Filters with one value: `?q=netbasics`. */
  one?: readonly O[];
  /** The order when the address names none, as the API writes it: `-priority`. */
  sort?: string;
};

export type UrlValues<M extends string, O extends string> = Record<M, readonly string[]> &
  Record<O, string | undefined>;

export type UrlState<M extends string = string, O extends string = string> = {
  values: UrlValues<M, O>;
  /** Sets filters, all at once; undefined and empty take one away. Back to the first page. */
  update(patch: Partial<UrlValues<M, O>>): void;
  /** Takes all filters away. */
  clear: () => void;
  /** Whether any filter is set. */
  isFiltered: boolean;
  sort: string | undefined;
  setSort: (sort: string) => void;
  cursor: string | undefined;
  setCursor: (cursor: string | undefined) => void;
  /** Filters, order and page as an operation takes them. */
  query: Partial<UrlValues<M, O>> & { sort?: string; cursor?: string };
};

const SORT = "sort";
const CURSOR = "cursor";

/** Filters, sort and page of a list, in the address: a link in a message opens the same view. */
export function useUrlState<M extends string = never, O extends string = never>(
  spec: UrlSpec<M, O>,
): UrlState<M, O> {
  const [params, setParams] = useSearchParams();
  const manyNames = (spec.many ?? []).join(" ");
  const oneNames = (spec.one ?? []).join(" ");
  const usualSort = spec.sort;

  const values = useMemo(() => {
    const found: Record<string, readonly string[] | string | undefined> = {};
    for (const name of names(manyNames)) found[name] = params.getAll(name);
    for (const name of names(oneNames)) found[name] = params.get(name) ?? undefined;
    return found as UrlValues<M, O>;
  }, [params, manyNames, oneNames]);

  const change = useCallback(
    (edit: (after: URLSearchParams) => void, replace: boolean) => {
      setParams(
        (before) => {
          const after = new URLSearchParams(before);
          edit(after);
          return after;
        },
        { replace, preventScrollReset: true },
      );
    },
    [setParams],
  );

  const update = useCallback(
    (patch: Partial<UrlValues<M, O>>) => {
      change((after) => {
        for (const [name, value] of Object.entries<readonly string[] | string | undefined>(patch)) {
          after.delete(name);
          const words = value === undefined ? [] : typeof value === "string" ? [value] : value;
          for (const word of words) if (word !== "") after.append(name, word);
        }
        after.delete(CURSOR);
      }, true);
    },
    [change],
  );

  const sort = params.get(SORT) ?? usualSort;
  const cursor = params.get(CURSOR) ?? undefined;
  const query = useMemo(() => {
    const asked: Record<string, readonly string[] | string> = {};
    for (const [name, value] of Object.entries<readonly string[] | string | undefined>(values)) {
      if (value !== undefined && value.length > 0) asked[name] = value;
    }
    if (sort !== undefined) asked[SORT] = sort;
    if (cursor !== undefined) asked[CURSOR] = cursor;
    return asked as UrlState<M, O>["query"];
  }, [values, sort, cursor]);

  return {
    values,
    update,
    clear: () => {
      change((after) => {
        for (const name of [...names(manyNames), ...names(oneNames), CURSOR]) after.delete(name);
      }, true);
    },
    isFiltered: Object.values<readonly string[] | string | undefined>(values).some(
      (value) => value !== undefined && value.length > 0,
    ),
    sort,
    setSort: (next) => {
      change((after) => {
        after.set(SORT, next);
        after.delete(CURSOR);
      }, true);
    },
    cursor,
    // A page is a place to come back to.
    setCursor: (next) => {
      change((after) => {
        if (next === undefined) after.delete(CURSOR);
        else after.set(CURSOR, next);
      }, false);
    },
    query,
  };
}

function names(text: string): string[] {
  return text === "" ? [] : text.split(" ");
}

/** One value of the address that is no filter: the open tab, the open row. */
export function useUrlValue(name: string, usual: string): [string, (value: string) => void] {
  const [params, setParams] = useSearchParams();
  const set = useCallback(
    (value: string) => {
      setParams(
        (before) => {
          const after = new URLSearchParams(before);
          if (value === usual) after.delete(name);
          else after.set(name, value);
          return after;
        },
        { preventScrollReset: true },
      );
    },
    [setParams, name, usual],
  );
  return [params.get(name) ?? usual, set];
}

/** What an address keeps when another tab is opened: filters, order and page belong to the tab that was left. */
const EVERYWHERE: readonly string[] = ["tz"];

/** The open tab of a page. */
export function useTab(usual: string): [string, (tab: string) => void] {
  const [params, setParams] = useSearchParams();
  const set = useCallback(
    (tab: string) => {
      setParams(
        (before) => {
          const after = new URLSearchParams();
          for (const [name, value] of before) if (EVERYWHERE.includes(name)) after.append(name, value);
          if (tab !== usual) after.set("tab", tab);
          return after;
        },
        { preventScrollReset: true },
      );
    },
    [setParams, usual],
  );
  return [params.get("tab") ?? usual, set];
}
