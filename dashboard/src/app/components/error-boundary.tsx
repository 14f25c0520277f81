import { Alert, AlertActionLink } from "@patternfly/react-core";
import { Component, type ReactNode } from "react";

type Props = { what: string; children: ReactNode };
type State = { error: Error | null };

/** Keeps a fault in one card from taking the page with it. */
export class ErrorBoundary extends Component<Props, State> {
  override state: State = { error: null };

  static getDerivedStateFromError(error: unknown): State {
    return { error: error instanceof Error ? error : new Error(String(error)) };
  }

  override render(): ReactNode {
    const { error } = this.state;
    if (error === null) return this.props.children;
    // A page that is loaded later is gone when a new version was put in its place.
    const outdated = /dynamically imported module|module script/i.test(error.message);
    return (
      <Alert
        isInline
        variant="danger"
        title={outdated ? "A new version of the dashboard is there" : `${this.props.what} cannot be shown`}
        actionLinks={
          <>
            <AlertActionLink
              onClick={() => {
                window.location.reload();
              }}
            >
              Reload the page
            </AlertActionLink>
            {!outdated && (
              <AlertActionLink
                onClick={() => {
                  this.setState({ error: null });
                }}
              >
                Try again
              </AlertActionLink>
            )}
          </>
        }
      >
        {!outdated && error.message}
      </Alert>
    );
  }
}
