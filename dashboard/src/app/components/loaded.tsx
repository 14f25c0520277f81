import {
  Button,
  EmptyState,
  EmptyStateActions,
  EmptyStateBody,
  EmptyStateFooter,
  Skeleton,
} from "@patternfly/react-core";
import CubesIcon from "@patternfly/react-icons/dist/esm/icons/cubes-icon";
import SearchIcon from "@patternfly/react-icons/dist/esm/icons/search-icon";
import type { ReactNode } from "react";

import type { Meta } from "@app/client/types";

import { MetaNotes, StaleNote } from "./meta-notes";
import { ProblemAlert } from "./problem-alert";

/** What of a query is shown. Any query of TanStack's is one; so is a part of another's answer. */
export type Loadable<T> = {
  data: T | undefined;
  error: Error | null;
  dataUpdatedAt: number;
  isPlaceholderData: boolean;
  refetch: () => unknown;
};

type Props<T> = {
  query: Loadable<T>;
  children: (answer: T) => ReactNode;
  /** How high the content will be, so that nothing jumps: rows of a table. */
  rows?: number;
  /** Instead of rows. */
  skeleton?: ReactNode;
  /** Whether there is nothing to show; lists without rows are. */
  isEmpty?: (answer: T) => boolean;
  /** What it means that there is nothing, and why. */
  empty?: { title: string; reason: ReactNode };
  /** Filters that may be why nothing is there. */
  filter?: { isFiltered: boolean; clear: () => void };
  /** Whether the notes on old and missing data belong here; a page shows them once. */
  notes?: boolean;
};

function hasNoRows(answer: unknown): boolean {
  return (
    typeof answer === "object" &&
    answer !== null &&
    "data" in answer &&
    Array.isArray(answer.data) &&
    answer.data.length === 0
  );
}

function metaOf(answer: unknown): Meta | null {
  if (typeof answer !== "object" || answer === null || !("meta" in answer)) return null;
  return answer.meta as Meta;
}

/** The states that every answer has: on its way, failed, nothing there, nothing matches, and there, perhaps old or in part. */
export function Loaded<T>(props: Props<T>) {
  const { query, children, rows = 5, skeleton, isEmpty = hasNoRows, empty, filter, notes = true } = props;
  const retry = () => {
    query.refetch();
  };
  if (query.data === undefined) {
    if (query.error !== null) return <ProblemAlert error={query.error} onRetry={retry} />;
    return <div aria-busy="true">{skeleton ?? <SkeletonRows rows={rows} />}</div>;
  }
  const answer = query.data;
  const { error } = query;
  const meta = notes ? metaOf(answer) : null;
  return (
    <>
      {error !== null && (
        <StaleNote since={query.dataUpdatedAt}>
          {(title) => <ProblemAlert variant="warning" title={title} error={error} onRetry={retry} />}
        </StaleNote>
      )}
      {meta !== null && <MetaNotes meta={meta} />}
      {isEmpty(answer) ? (
        <Nothing empty={empty} filter={filter} />
      ) : (
        <div
          className={query.isPlaceholderData ? "sg-refreshing" : undefined}
          aria-busy={query.isPlaceholderData}
        >
          {children(answer)}
        </div>
      )}
    </>
  );
}

function Nothing({ empty, filter }: Pick<Props<unknown>, "empty" | "filter">) {
  if (filter?.isFiltered === true) {
    return (
      <EmptyState variant="sm" titleText="Nothing matches" headingLevel="h3" icon={SearchIcon}>
        <EmptyStateBody>The filters leave nothing over.</EmptyStateBody>
        <EmptyStateFooter>
          <EmptyStateActions>
            <Button variant="link" onClick={filter.clear}>
              Clear all filters
            </Button>
          </EmptyStateActions>
        </EmptyStateFooter>
      </EmptyState>
    );
  }
  return (
    <EmptyState variant="sm" titleText={empty?.title ?? "Nothing here"} headingLevel="h3" icon={CubesIcon}>
      <EmptyStateBody>
        {empty?.reason ?? "The sources that were read hold nothing of this kind."}
      </EmptyStateBody>
    </EmptyState>
  );
}

/** Stands in for rows until they come, as high as they will be. */
export function SkeletonRows({ rows }: { rows: number }) {
  return (
    <>
      {Array.from({ length: rows }, (_, row) => (
        <div key={row} className="sg-skeleton-row">
          <Skeleton
            screenreaderText={row === 0 ? "Loading" : undefined}
            width={`${90 - ((row * 17) % 35)}%`}
          />
        </div>
      ))}
    </>
  );
}
