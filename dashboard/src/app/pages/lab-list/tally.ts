import type { LabRow } from "@app/queries/labs";

/** The pseudo-lab of instances that are joined to none. */
export const UNMAPPED = "unmapped";

export type Tally = {
  labs: number;
  /** Labs in which nothing fails, warns or is unknown. */
  healthy: string;
  /** Instances of no known lab. */
  unmapped: number;
  /** How many labs there are, and with what. */
  text: string;
};

/** Whether somebody should look at the lab: as the API's filter `health=issues`. */
export function hasIssues({ instances }: Pick<LabRow, "instances">): boolean {
  return instances.failing + instances.warning + instances.unknown > 0;
}

/** Counts labs; when there are more than one page of them, says that it did not see all. */
export function tally({ data, page }: { data: readonly LabRow[]; page: { has_more: boolean } }): Tally {
  const labs = data.filter(({ code }) => code !== UNMAPPED);
  const failing = labs.filter(({ instances }) => instances.failing > 0).length;
  const unknown = labs.filter(({ instances }) => instances.unknown > 0 && instances.failing === 0).length;
  const many = page.has_more ? "More than " : "";
  const parts = [
    `${many}${String(labs.length)} ${labs.length === 1 ? "lab" : "labs"}`,
    `${String(failing)} with failing instances`,
    ...(unknown > 0 ? [`${String(unknown)} more of which not everything is known`] : []),
  ];
  return {
    labs: labs.length,
    healthy: `${page.has_more ? "at least " : ""}${String(data.filter((row) => !hasIssues(row)).length)}`,
    unmapped: data.find(({ code }) => code === UNMAPPED)?.instances.total ?? 0,
    text: `${parts.join(", ")}.`,
  };
}
