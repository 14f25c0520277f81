import { MenuToggle, Select, SelectList, SelectOption } from "@patternfly/react-core";
import OutlinedClockIcon from "@patternfly/react-icons/dist/esm/icons/outlined-clock-icon";
import { useState } from "react";

import { useZone } from "@app/hooks/zone";
import { shortTime, useNow, ZONE_CHOICES, zoneName, type ZoneChoice } from "@app/time";

const NAMES: Record<ZoneChoice, string> = { event: "Event time", utc: "UTC", local: "My time" };

/** In which zone times are shown, with the time it is there. */
export function ZoneSwitch() {
  const zone = useZone();
  const now = useNow();
  const [isOpen, setOpen] = useState(false);
  const choices = ZONE_CHOICES.filter((choice) => choice !== "event" || zone.hasEvent);
  const clock = shortTime(new Date(now).toISOString(), zone.name, now);
  return (
    <Select
      isOpen={isOpen}
      onOpenChange={setOpen}
      selected={zone.choice}
      onSelect={(_event, choice) => {
        zone.choose(choice as ZoneChoice);
        setOpen(false);
      }}
      toggle={(toggle) => (
        <MenuToggle
          ref={toggle}
          variant="plainText"
          icon={<OutlinedClockIcon />}
          isExpanded={isOpen}
          aria-label={`Times are shown in ${NAMES[zone.choice]}, ${zone.name}; it is ${clock}`}
          onClick={() => {
            setOpen(!isOpen);
          }}
        >
          {clock} {NAMES[zone.choice]}
        </MenuToggle>
      )}
    >
      <SelectList aria-label="Time zone">
        {choices.map((choice) => (
          <SelectOption
            key={choice}
            value={choice}
            isSelected={choice === zone.choice}
            description={choice === "event" && zone.choice === "event" ? zone.name : zoneDescription(choice)}
          >
            {NAMES[choice]}
          </SelectOption>
        ))}
      </SelectList>
    </Select>
  );
}

function zoneDescription(choice: ZoneChoice): string | undefined {
  if (choice === "local") return zoneName("local", null);
  return choice === "utc" ? "Coordinated universal time" : undefined;
}
