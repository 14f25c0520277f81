import chart_color_black_300 from "@patternfly/react-tokens/dist/esm/chart_color_black_300";
import chart_color_black_400 from "@patternfly/react-tokens/dist/esm/chart_color_black_400";
import chart_color_blue_300 from "@patternfly/react-tokens/dist/esm/chart_color_blue_300";
import chart_color_orange_300 from "@patternfly/react-tokens/dist/esm/chart_color_orange_300";
import chart_color_purple_300 from "@patternfly/react-tokens/dist/esm/chart_color_purple_300";
import chart_color_purple_500 from "@patternfly/react-tokens/dist/esm/chart_color_purple_500";
import chart_color_red_orange_300 from "@patternfly/react-tokens/dist/esm/chart_color_red_orange_300";
import chart_color_red_orange_400 from "@patternfly/react-tokens/dist/esm/chart_color_red_orange_400";
import chart_color_teal_300 from "@patternfly/react-tokens/dist/esm/chart_color_teal_300";
import chart_color_yellow_300 from "@patternfly/react-tokens/dist/esm/chart_color_yellow_300";
import chart_color_blue_100 from "@patternfly/react-tokens/dist/esm/chart_color_blue_100";

/** Colours for series that mean nothing by themselves, the most different first. Green is for what is well, and for nothing else. */
const SCALE = [
  chart_color_blue_300,
  chart_color_orange_300,
  chart_color_purple_300,
  chart_color_yellow_300,
  chart_color_teal_300,
  chart_color_red_orange_300,
  chart_color_blue_100,
  chart_color_purple_500,
].map((token) => token.var);

/** The colour of the n-th series. */
export function colorOf(index: number): string {
  return SCALE[index % SCALE.length] ?? chart_color_blue_300.var;
}

/** Colours that mean something. */
export const CHART_COLORS = {
  /** The rest, summed. */
  other: chart_color_black_400.var,
  /** A line that is not measured. */
  limit: chart_color_red_orange_400.var,
  /** Where nothing is known. */
  unknown: chart_color_black_300.var,
  ready: chart_color_teal_300.var,
  unready: chart_color_orange_300.var,
  claimed: chart_color_purple_300.var,
  opened: chart_color_orange_300.var,
  resolved: chart_color_teal_300.var,
} as const;
