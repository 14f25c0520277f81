import { EmptyState, EmptyStateBody } from "@patternfly/react-core";
import ChartLineIcon from "@patternfly/react-icons/dist/esm/icons/chart-line-icon";

/** Why a chart is not drawn: nothing was measured, or nothing of it is known. */
export function NothingYet({ hasSeries }: { hasSeries: boolean }) {
  return (
    <EmptyState
      variant="xs"
      titleText={hasSeries ? "Not known yet" : "Nothing to show"}
      headingLevel="h3"
      icon={ChartLineIcon}
    >
      <EmptyStateBody>
        {hasSeries
          ? "Nothing was measured in this span of time. A longer one may hold something."
          : "Nothing of this kind happened in this span of time."}
      </EmptyStateBody>
    </EmptyState>
  );
}
