import { Alert, AlertActionLink, ClipboardCopy } from "@patternfly/react-core";

import { ApiProblem } from "@app/client/problem";
import { shownAs } from "@app/labels";

type Props = {
  error: Error;
  onRetry: () => void;
  /** Instead of the problem's own title. */
  title?: string;
  variant?: "danger" | "warning";
};

/** What went wrong, in the server's words, with the id that finds it in the logs. */
export function ProblemAlert({ error, onRetry, title, variant = "danger" }: Props) {
  const problem = error instanceof ApiProblem ? error : null;
  const mayHelp = problem === null || problem.isPassing;
  const retry = <AlertActionLink onClick={onRetry}>Retry</AlertActionLink>;
  return (
    <Alert
      isInline
      variant={variant}
      title={title ?? problem?.title ?? error.message}
      actionLinks={mayHelp ? retry : undefined}
    >
      {problem !== null && (
        <>
          {title !== undefined && <p>{problem.title}</p>}
          {problem.detail !== "" && <p>{problem.detail}</p>}
          {problem.requiredRole !== null && (
            <p>This needs the role {shownAs("access", problem.requiredRole).text}.</p>
          )}
          {problem.requestId !== null && (
            <div>
              Request{" "}
              <ClipboardCopy variant="inline-compact" isCode hoverTip="Copy" clickTip="Copied">
                {problem.requestId}
              </ClipboardCopy>
            </div>
          )}
        </>
      )}
    </Alert>
  );
}
