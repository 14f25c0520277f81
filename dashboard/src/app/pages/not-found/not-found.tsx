import { EmptyState, EmptyStateActions, EmptyStateBody, EmptyStateFooter } from "@patternfly/react-core";
import CompassIcon from "@patternfly/react-icons/dist/esm/icons/compass-icon";
import { Link } from "react-router";

import { paths } from "@app/Routes";
import { PageFrame } from "@app/components/page-frame";

export default function NotFound() {
  return (
    <PageFrame title="Nothing is here">
      <EmptyState titleText="This address leads nowhere" headingLevel="h2" icon={CompassIcon}>
        <EmptyStateBody>
          The link is old, or a letter is missing. The search finds everything that has a name.
        </EmptyStateBody>
        <EmptyStateFooter>
          <EmptyStateActions>
            <Link to={paths.overview}>Back to the overview</Link>
          </EmptyStateActions>
        </EmptyStateFooter>
      </EmptyState>
    </PageFrame>
  );
}
