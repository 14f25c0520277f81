import { Label, Tooltip } from "@patternfly/react-core";

import { shownAs, type Vocabulary } from "@app/labels";

type Props = {
  /** What kind of word it is. */
  of: Vocabulary;
  value: string | null | undefined;
  /** More of it, for who asks: shown on hover and focus. */
  hint?: string;
  /** Instead of the word's own text. */
  text?: string;
  isCompact?: boolean;
};

/** A word with its colour and its icon. */
export function StatusLabel({ of, value, hint, text, isCompact = false }: Props) {
  const shown = shownAs(of, value);
  const Icon = shown.icon;
  const label = (
    <Label color={shown.color} icon={<Icon />} isCompact={isCompact}>
      {text ?? shown.text}
    </Label>
  );
  if (hint === undefined || hint === "") return label;
  return (
    <Tooltip content={hint}>
      {/* Reached with the keyboard too: the hint is not only for a pointer. */}
      {/* eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex */}
      <span tabIndex={0}>{label}</span>
    </Tooltip>
  );
}
