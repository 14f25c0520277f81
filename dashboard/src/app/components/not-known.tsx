import { Tooltip } from "@patternfly/react-core";

/** In place of a value that nobody knows: a word, never a zero. */
export function NotKnown({ why }: { why?: string | null | undefined }) {
  const word = <span className="sg-unknown">unknown</span>;
  if (why === null || why === undefined || why === "") return word;
  return (
    <Tooltip content={why}>
      {/* eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex */}
      <span tabIndex={0}>{word}</span>
    </Tooltip>
  );
}

/** A number in the reader's form, or the word that it is not known. */
export function Count({ value, why }: { value: number | null | undefined; why?: string | null }) {
  if (value === null || value === undefined) return <NotKnown why={why} />;
  return <>{value.toLocaleString("en")}</>;
}

/** A percentage (0 to 100) without false precision. */
export function Percent({ value }: { value: number | null | undefined }) {
  if (value === null || value === undefined) return <NotKnown />;
  return <>{Math.round(value)} %</>;
}
