import { Alert, AlertActionLink, PageSection } from "@patternfly/react-core";

import { sessionExpired } from "@app/client/session";
import { useStore } from "@app/hooks/store";
import { useLiveState } from "@app/live";

/** What concerns the whole page: told politely, and gone by itself. */
export function Notices() {
  const isExpired = useStore(sessionExpired);
  const live = useLiveState();
  if (!isExpired && live !== "paused") return <div aria-live="polite" />;
  return (
    <div aria-live="polite">
      <PageSection hasBodyWrapper={false} className="sg-notices">
        {isExpired ? (
          <Alert
            isInline
            variant="warning"
            title="Your session has expired"
            actionLinks={
              // The whole page is loaded again, at the same address: the sign-in is in between.
              <AlertActionLink
                onClick={() => {
                  window.location.reload();
                }}
              >
                Sign in again
              </AlertActionLink>
            }
          >
            What you see was read before. You come back to this page, with its filters.
          </Alert>
        ) : (
          <Alert isInline isPlain variant="warning" title="Live updates paused">
            The page is read again every 30 seconds until the connection is back.
          </Alert>
        )}
      </PageSection>
    </div>
  );
}
