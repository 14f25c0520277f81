import {
  Button,
  Label,
  Masthead,
  MastheadBrand,
  MastheadContent,
  MastheadLogo,
  MastheadMain,
  MastheadToggle,
  PageToggleButton,
  Toolbar,
  ToolbarContent,
  ToolbarGroup,
  ToolbarItem,
  Tooltip,
} from "@patternfly/react-core";
import FlaskIcon from "@patternfly/react-icons/dist/esm/icons/flask-icon";
import KeyboardIcon from "@patternfly/react-icons/dist/esm/icons/keyboard-icon";
import type { RefObject } from "react";
import { Link } from "react-router";

import { paths } from "@app/Routes";
import type { Me } from "@app/queries/me";
import { useOverview } from "@app/queries/overview";

import { Brand } from "./brand";
import { FreshnessPill } from "./freshness-pill";
import { SearchBox } from "./search-box";
import { ThemeSwitch } from "./theme-switch";
import { UserMenu } from "./user-menu";
import { ZoneSwitch } from "./zone-switch";

type Props = {
  me: Me | undefined;
  searchRef: RefObject<HTMLInputElement | null>;
  onHelp: () => void;
};

/** At the top of every page: where one is, how current it is, and a way to everything that has a name. */
export function AppMasthead({ me, searchRef, onHelp }: Props) {
  const overview = useOverview();
  const isSimulated = overview.data?.data.simulated === true || me?.demo === true;
  return (
    <Masthead>
      <MastheadMain>
        <MastheadToggle>
          <PageToggleButton variant="plain" aria-label="Pages" isHamburgerButton />
        </MastheadToggle>
        <MastheadBrand>
          <MastheadLogo
            component={(props) => <Link {...props} to={paths.overview} aria-label="StarGate: overview" />}
          >
            <Brand />
          </MastheadLogo>
        </MastheadBrand>
      </MastheadMain>
      <MastheadContent>
        <Toolbar isStatic ouiaId="masthead">
          <ToolbarContent>
            <ToolbarItem className="sg-search">
              <SearchBox inputRef={searchRef} />
            </ToolbarItem>
            <ToolbarGroup
              variant="action-group-plain"
              align={{ default: "alignEnd" }}
              gap={{ default: "gapSm" }}
            >
              {isSimulated && (
                <ToolbarItem>
                  <Tooltip content="Clusters, labs and people are made up. Nothing here is a real environment.">
                    <Label color="purple" variant="filled" icon={<FlaskIcon />} tabIndex={0}>
                      Simulated fleet
                    </Label>
                  </Tooltip>
                </ToolbarItem>
              )}
              <ToolbarItem>
                <FreshnessPill />
              </ToolbarItem>
              <ToolbarItem>
                <ZoneSwitch />
              </ToolbarItem>
              <ToolbarItem>
                <ThemeSwitch />
              </ToolbarItem>
              <ToolbarItem visibility={{ default: "hidden", lg: "visible" }}>
                <Tooltip content="Keyboard shortcuts (?)">
                  <Button
                    variant="plain"
                    aria-label="Keyboard shortcuts"
                    icon={<KeyboardIcon />}
                    onClick={onHelp}
                  />
                </Tooltip>
              </ToolbarItem>
              {me !== undefined && (
                <ToolbarItem>
                  <UserMenu me={me} />
                </ToolbarItem>
              )}
            </ToolbarGroup>
          </ToolbarContent>
        </Toolbar>
      </MastheadContent>
    </Masthead>
  );
}
