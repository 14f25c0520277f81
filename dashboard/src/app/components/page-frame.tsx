import {
  Breadcrumb,
  BreadcrumbItem,
  Content,
  Flex,
  FlexItem,
  PageBreadcrumb,
  PageSection,
  Title,
} from "@patternfly/react-core";
import { useEffect, type ReactNode } from "react";
import { Link } from "react-router";

import { ErrorBoundary } from "./error-boundary";

type Props = {
  title: string;
  /** Beside the title: how the thing stands. */
  status?: ReactNode;
  /** One sentence below the title. */
  description?: ReactNode;
  /** The way here, without this page: `[["Clusters", paths.clusters]]`. */
  breadcrumbs?: readonly (readonly [label: string, path: string])[];
  /** At the right of the title. */
  actions?: ReactNode;
  children: ReactNode;
};

/** What every page has: its title (also the window's), the way to it, and its content. */
export function PageFrame({ title, status, description, breadcrumbs = [], actions, children }: Props) {
  useEffect(() => {
    document.title = `${title} | StarGate`;
  }, [title]);
  return (
    <>
      {breadcrumbs.length > 0 && (
        <PageBreadcrumb hasBodyWrapper={false}>
          <Breadcrumb>
            {breadcrumbs.map(([label, path]) => (
              <BreadcrumbItem
                key={path}
                render={({ className }) => (
                  <Link className={className} to={path}>
                    {label}
                  </Link>
                )}
              />
            ))}
            <BreadcrumbItem isActive>{title}</BreadcrumbItem>
          </Breadcrumb>
        </PageBreadcrumb>
      )}
      <PageSection hasBodyWrapper={false} className="sg-page-head">
        <Flex alignItems={{ default: "alignItemsCenter" }} columnGap={{ default: "columnGapMd" }}>
          <Title headingLevel="h1" size="2xl">
            {title}
          </Title>
          {status !== undefined && <FlexItem>{status}</FlexItem>}
          {actions !== undefined && <FlexItem align={{ default: "alignRight" }}>{actions}</FlexItem>}
        </Flex>
        {description !== undefined && <Content component="p">{description}</Content>}
      </PageSection>
      <PageSection hasBodyWrapper={false} isFilled>
        <ErrorBoundary what={title}>{children}</ErrorBoundary>
      </PageSection>
    </>
  );
}
