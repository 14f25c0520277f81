import {
  Button,
  EmptyState,
  EmptyStateActions,
  EmptyStateBody,
  EmptyStateFooter,
  PageSection,
} from "@patternfly/react-core";
import LockIcon from "@patternfly/react-icons/dist/esm/icons/lock-icon";

import type { ApiProblem } from "@app/client/problem";
import { shownAs } from "@app/labels";

/** Somebody is signed in who may not see anything here. */
export function Forbidden({ problem }: { problem: ApiProblem }) {
  return (
    <PageSection hasBodyWrapper={false} isFilled>
      <EmptyState titleText="You may not see this" headingLevel="h1" icon={LockIcon}>
        <EmptyStateBody>
          {problem.detail || "Your account has no role in StarGate."}
          {problem.requiredRole !== null &&
            ` It needs the role ${shownAs("access", problem.requiredRole).text}.`}{" "}
          Ask whoever runs StarGate for it.
        </EmptyStateBody>
        <EmptyStateFooter>
          <EmptyStateActions>
            <Button
              variant="link"
              onClick={() => {
                window.location.reload();
              }}
            >
              Try again
            </Button>
          </EmptyStateActions>
        </EmptyStateFooter>
      </EmptyState>
    </PageSection>
  );
}
