import {
  Divider,
  Dropdown,
  DropdownGroup,
  DropdownItem,
  DropdownList,
  MenuToggle,
} from "@patternfly/react-core";
import UserIcon from "@patternfly/react-icons/dist/esm/icons/user-icon";
import { useState } from "react";

import { shownAs } from "@app/labels";
import type { Me } from "@app/queries/me";

/** Who is signed in, what he may, and the way out. */
export function UserMenu({ me }: { me: Me }) {
  const [isOpen, setOpen] = useState(false);
  const roles = me.roles.map((role) => shownAs("access", role).text).join(", ") || "No role";
  return (
    <Dropdown
      isOpen={isOpen}
      onOpenChange={setOpen}
      popperProps={{ position: "right" }}
      toggle={(toggle) => (
        <MenuToggle
          ref={toggle}
          variant="plainText"
          icon={<UserIcon />}
          isExpanded={isOpen}
          aria-label={`Signed in as ${me.display_name}, ${roles}`}
          onClick={() => {
            setOpen(!isOpen);
          }}
        >
          {me.display_name}
        </MenuToggle>
      )}
    >
      <DropdownGroup label={`${roles}${me.demo ? " (demo)" : ""}`}>
        <DropdownList>
          <DropdownItem isDisabled description={scopeText(me)}>
            {me.subject}
          </DropdownItem>
        </DropdownList>
      </DropdownGroup>
      {me.sign_out_url !== null && (
        <>
          <Divider />
          <DropdownList>
            <DropdownItem to={me.sign_out_url}>Sign out</DropdownItem>
          </DropdownList>
        </>
      )}
    </Dropdown>
  );
}

function scopeText(me: Me): string {
  if (me.lab_scope === null) return "Sees all labs";
  const count = me.lab_scope.length;
  if (count === 0) return "Sees no labs";
  return `Sees ${count} ${count === 1 ? "lab" : "labs"}: ${me.lab_scope.slice(0, 5).join(", ")}${count > 5 ? ", …" : ""}`;
}
