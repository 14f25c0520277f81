import {
  DescriptionList,
  DescriptionListDescription,
  DescriptionListGroup,
  DescriptionListTerm,
  type DescriptionListProps,
} from "@patternfly/react-core";
import type { ReactNode } from "react";

/** Facts with their names. A fact that is `undefined` is left out. */
export function KeyValue({
  facts,
  columns = 1,
}: {
  facts: readonly (readonly [name: string, value: ReactNode])[];
  columns?: 1 | 2 | 3;
}) {
  const columnModifier: DescriptionListProps["columnModifier"] =
    columns === 1 ? { default: "1Col" } : columns === 2 ? { md: "2Col" } : { md: "2Col", xl: "3Col" };
  return (
    <DescriptionList isCompact columnModifier={columnModifier}>
      {facts
        .filter(([, value]) => value !== undefined)
        .map(([name, value]) => (
          <DescriptionListGroup key={name}>
            <DescriptionListTerm>{name}</DescriptionListTerm>
            <DescriptionListDescription>{value}</DescriptionListDescription>
          </DescriptionListGroup>
        ))}
    </DescriptionList>
  );
}
