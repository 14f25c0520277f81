import { Card, CardBody, CardHeader, CardTitle } from "@patternfly/react-core";
import { useId, type ReactNode } from "react";

import { ErrorBoundary } from "./error-boundary";

type Props = {
  title: string;
  /** At the right of the title: a link to all of it, a filter. */
  actions?: ReactNode;
  isFullHeight?: boolean;
  children: ReactNode;
};

/** A card with a title: a part of a page that stands, and fails, alone. */
export function Panel({ title, actions, isFullHeight = false, children }: Props) {
  const id = useId();
  return (
    <Card component="section" aria-labelledby={id} isFullHeight={isFullHeight}>
      <CardHeader actions={actions === undefined ? undefined : { actions, hasNoOffset: true }}>
        <CardTitle component="h2" id={id}>
          {title}
        </CardTitle>
      </CardHeader>
      <CardBody>
        <ErrorBoundary what={title}>{children}</ErrorBoundary>
      </CardBody>
    </Card>
  );
}
