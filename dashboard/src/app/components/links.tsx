import { Tooltip } from "@patternfly/react-core";
import type { ReactNode } from "react";
import { Link } from "react-router";

import { to } from "@app/Routes";

import { NotKnown } from "./not-known";

type CountLinkProps = {
  count: number | null | undefined;
  /** The list that the count counts. */
  to: string;
  /** What is counted, for who does not see the column: `failing instances`. */
  what: string;
  /** Why it is not known. */
  why?: string | null;
  /** Shown beside the number. */
  children?: ReactNode;
};

/** A count leads to the list behind it. Nothing leads to an empty list: a zero is plain text. */
export function CountLink({ count, to: path, what, why, children }: CountLinkProps) {
  if (count === null || count === undefined) return <NotKnown why={why} />;
  const number = count.toLocaleString("en");
  if (count === 0 && children === undefined) return <>{number}</>;
  return (
    <Link to={path} aria-label={`${number} ${what}`}>
      {number}
      {children}
    </Link>
  );
}

/** A lab by its code. */
export function LabLink({ code, title }: { code: string; title?: string | null | undefined }) {
  const link = <Link to={to.lab(code)}>{code}</Link>;
  return title === null || title === undefined || title === "" ? (
    link
  ) : (
    <Tooltip content={title}>{link}</Tooltip>
  );
}

/** Clusters by name: the first few, and how many more. */
export function ClusterLinks({ names, most = 2 }: { names: readonly string[]; most?: number }) {
  const more = names.slice(most);
  return (
    <>
      {names.slice(0, most).map((name, index) => (
        <span key={name}>
          {index > 0 && ", "}
          <Link to={to.cluster(name)}>{name}</Link>
        </span>
      ))}
      {more.length > 0 && (
        <Tooltip content={more.join(", ")}>
          {/* eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex */}
          <span tabIndex={0}> and {more.length} more</span>
        </Tooltip>
      )}
    </>
  );
}
