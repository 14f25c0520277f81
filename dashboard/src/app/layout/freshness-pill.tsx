import { Label, Tooltip } from "@patternfly/react-core";
import { Link } from "react-router";

import { to } from "@app/Routes";
import type { Schemas } from "@app/client/types";
import { shownAs } from "@app/labels";
import { useLiveState } from "@app/live";
import { useEverySource } from "@app/queries/overview";
import { duration } from "@app/time";

type Freshness = { state: Schemas["SourceState"] | "unread"; text: string; detail: string };

const WORST: readonly Schemas["SourceState"][] = ["failed", "stale", "never", "late", "fresh"];

type Source = Pick<Schemas["SourceMeta"], "source" | "state"> & { age_s?: number | null };

/** How current everything is, in one word: the worst of the sources that are in use. */
export function freshness(sources: readonly Source[]): Freshness {
  const used = sources.filter((source) => source.state !== "disabled");
  const worst = WORST.find((state) => used.some((source) => source.state === state));
  if (worst === undefined) return { state: "never", text: "No sources", detail: "No source is configured." };
  const those = used.filter((source) => source.state === worst);
  const word = shownAs("source", worst).text.toLowerCase();
  if (worst === "fresh") {
    const oldest = Math.max(...used.map((source) => source.age_s ?? 0));
    return {
      state: worst,
      text: "All sources fresh",
      detail: `${used.length} sources; the oldest is ${duration(oldest)} old.`,
    };
  }
  return {
    state: worst,
    text: `${those.length} of ${used.length} sources ${word}`,
    detail: those.map((source) => source.source.replace(/^cluster\//, "")).join(", "),
  };
}

/** Says how current the data is, on every page, and leads to the sources. */
export function FreshnessPill() {
  const live = useLiveState();
  const answer = useEverySource().data;
  if (answer === undefined) return null;
  const { state, text, detail } = freshness(answer.data);
  const shown = shownAs("source", state);
  const Icon = shown.icon;
  return (
    <Tooltip content={`${detail} ${shownAs("live", live).text}.`}>
      <Label
        color={shown.color}
        icon={<Icon />}
        render={({ className, content, componentRef }) => (
          <Link
            className={className}
            to={to.settings("sources")}
            ref={componentRef as React.Ref<HTMLAnchorElement>}
          >
            {content}
          </Link>
        )}
      >
        {text}
      </Label>
    </Tooltip>
  );
}
