import type { WhyAnswer } from "@app/queries/instances";

type ChainRow = WhyAnswer["chain"][number];
type Gap = WhyAnswer["not_known"][number];

/** A step on the way from a namespace to the people who wait for it. */
export type ChainStep = {
  kind: string;
  /** What it is called in this dashboard. */
  title: string;
  /** What it is, for somebody who meets the word for the first time. */
  meaning: string;
  /** What is joined there; several components of one order have a subject each. */
  joined: ChainRow[];
  /** Why nothing is joined; null when something is. */
  missing: string | null;
};

const STEPS: readonly { kind: string; title: string; meaning: string; absent: string }[] = [
  {
    kind: "subject",
    title: "Subject",
    meaning: "Runs one component through its life: provisioned, started, stopped, destroyed.",
    absent: "Nothing joins the namespace to a subject.",
  },
  {
    kind: "placement",
    title: "Placement",
    meaning: "The Sandbox API's record of where the namespace was put.",
    absent: "No placement is joined.",
  },
  {
    kind: "resource-handle",
    title: "Handle",
    meaning: "What was provisioned for the order.",
    absent: "No handle is joined.",
  },
  {
    kind: "resource-claim",
    title: "Claim",
    meaning: "Somebody's order.",
    absent: "No claim is joined: it may be a pool's spare, or the order is not known.",
  },
  {
    kind: "resource-pool",
    title: "Pool",
    meaning: "Keeps handles ready before they are ordered.",
    absent: "No pool is joined: made to order, or its handle is not known.",
  },
  {
    kind: "component",
    title: "Component",
    meaning: "The part of the definition that this namespace is made by.",
    absent: "",
  },
  {
    kind: "catalog-item",
    title: "Catalog item",
    meaning: "The definition that was ordered.",
    absent: "No catalog item is joined.",
  },
  {
    kind: "workshop",
    title: "Workshop",
    meaning: "Orders of one event, given out together.",
    absent: "No workshop is joined: it may be a single order.",
  },
  {
    kind: "lab",
    title: "Lab",
    meaning: "What the schedule offers to people.",
    absent: "No lab of the schedule is joined.",
  },
];

/** The chain in order, with the reason wherever nothing is joined. A step that is usually absent is left out when it is. */
export function chainOf(why: Pick<WhyAnswer, "chain" | "not_known">): ChainStep[] {
  return STEPS.flatMap(({ kind, title, meaning, absent }) => {
    const joined = why.chain.filter((row) => row.kind === kind);
    if (joined.length === 0 && absent === "") return [];
    return [
      {
        kind,
        title,
        meaning,
        joined,
        missing: joined.length > 0 ? null : (reason(why.not_known, kind) ?? absent),
      },
    ];
  });
}

/** What the server says about why the step is not known. */
function reason(gaps: readonly Gap[], kind: string): string | null {
  const gap = gaps.find(({ what }) => what === `its ${kind}`);
  return gap === undefined ? null : sentence(gap.why);
}

/** A server's clause as a sentence. */
export function sentence(text: string): string {
  const trimmed = text.trim();
  if (trimmed === "") return "";
  const begun = trimmed[0]?.toUpperCase() + trimmed.slice(1);
  return /[.!?]$/.test(begun) ? begun : `${begun}.`;
}

/** What a join is worth, in words. */
export const STRENGTHS: Readonly<Record<string, { word: string; hint: string }>> = {
  exact: { word: "exact", hint: "By an id that only one thing has." },
  strong: { word: "strong", hint: "By names that are unique in practice." },
  weak: { word: "weak", hint: "By likeness: it may be wrong." },
};
