import { Badge, MenuToggle, Select, SelectList, SelectOption } from "@patternfly/react-core";
import { useState } from "react";

export type FacetOption = {
  value: string;
  label: string;
  /** How many there are; absent when it is not known. */
  count?: number;
};

type Props = {
  title: string;
  options: readonly FacetOption[];
  chosen: readonly string[];
  onChoose: (chosen: readonly string[]) => void;
};

/** Chooses any number of values of one filter. */
export function FacetSelect({ title, options, chosen, onChoose }: Props) {
  const [isOpen, setOpen] = useState(false);
  return (
    <Select
      role="menu"
      isOpen={isOpen}
      onOpenChange={setOpen}
      isScrollable
      selected={[...chosen]}
      onSelect={(_event, value) => {
        const word = String(value);
        onChoose(chosen.includes(word) ? chosen.filter((one) => one !== word) : [...chosen, word]);
      }}
      toggle={(toggle) => (
        <MenuToggle
          ref={toggle}
          isExpanded={isOpen}
          onClick={() => {
            setOpen(!isOpen);
          }}
          badge={chosen.length > 0 ? <Badge isRead>{chosen.length}</Badge> : undefined}
        >
          {title}
        </MenuToggle>
      )}
    >
      <SelectList>
        {options.map((option) => (
          <SelectOption
            key={option.value}
            value={option.value}
            hasCheckbox
            isSelected={chosen.includes(option.value)}
          >
            {option.label}
            {option.count !== undefined && ` (${option.count.toLocaleString("en")})`}
          </SelectOption>
        ))}
      </SelectList>
    </Select>
  );
}
