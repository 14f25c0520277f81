import { Nav, NavItem, NavList, PageSidebar, PageSidebarBody } from "@patternfly/react-core";
import { Link, useLocation } from "react-router";

import { paths } from "@app/Routes";

/** Pages that come with their features take their place here, and not before. */
const ENTRIES: readonly { title: string; path: string; also?: readonly string[] }[] = [
  { title: "Overview", path: paths.overview },
  { title: "Clusters", path: paths.clusters },
  { title: "Labs", path: paths.labs, also: [paths.instances] },
  { title: "Incidents", path: paths.incidents },
  { title: "Provisioning", path: paths.provisioning },
  { title: "Recommendations", path: paths.recommendations },
  { title: "Settings", path: paths.settings },
];

function isWithin(pathname: string, path: string): boolean {
  return path === paths.overview ? pathname === path : pathname === path || pathname.startsWith(`${path}/`);
}

export function AppSidebar() {
  const { pathname } = useLocation();
  return (
    <PageSidebar>
      <PageSidebarBody>
        <Nav aria-label="Pages">
          <NavList>
            {ENTRIES.map(({ title, path, also = [] }) => (
              <NavItem
                key={path}
                itemId={path}
                isActive={[path, ...also].some((one) => isWithin(pathname, one))}
              >
                <Link to={path}>{title}</Link>
              </NavItem>
            ))}
          </NavList>
        </Nav>
      </PageSidebarBody>
    </PageSidebar>
  );
}
