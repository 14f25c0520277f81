import { Nav, NavItem, NavList, PageSidebar, PageSidebarBody } from "@patternfly/react-core";
import BellIcon from "@patternfly/react-icons/dist/esm/icons/bell-icon";
import CogIcon from "@patternfly/react-icons/dist/esm/icons/cog-icon";
import CubesIcon from "@patternfly/react-icons/dist/esm/icons/cubes-icon";
import FlaskIcon from "@patternfly/react-icons/dist/esm/icons/flask-icon";
import LightbulbIcon from "@patternfly/react-icons/dist/esm/icons/lightbulb-icon";
import ServerIcon from "@patternfly/react-icons/dist/esm/icons/server-icon";
import TachometerAltIcon from "@patternfly/react-icons/dist/esm/icons/tachometer-alt-icon";
import type { ComponentType } from "react";
import { Link, useLocation } from "react-router";

import { paths } from "@app/Routes";

/** Pages that come with their features take their place here, and not before. */
const ENTRIES: readonly { title: string; path: string; icon: ComponentType; also?: readonly string[] }[] = [
  { title: "Overview", path: paths.overview, icon: TachometerAltIcon },
  { title: "Clusters", path: paths.clusters, icon: ServerIcon },
  { title: "Labs", path: paths.labs, icon: FlaskIcon, also: [paths.instances] },
  { title: "Incidents", path: paths.incidents, icon: BellIcon },
  { title: "Provisioning", path: paths.provisioning, icon: CubesIcon },
  { title: "Recommendations", path: paths.recommendations, icon: LightbulbIcon },
  { title: "Settings", path: paths.settings, icon: CogIcon },
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
            {ENTRIES.map(({ title, path, icon: Icon, also = [] }) => (
              <NavItem
                key={path}
                itemId={path}
                isActive={[path, ...also].some((one) => isWithin(pathname, one))}
              >
                <Link to={path}>
                  <span className="pf-v6-c-nav__link-icon">
                    <Icon />
                  </span>
                  {title}
                </Link>
              </NavItem>
            ))}
          </NavList>
        </Nav>
      </PageSidebarBody>
    </PageSidebar>
  );
}
