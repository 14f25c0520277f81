import { Alert, type AlertProps } from "@patternfly/react-core";

import type { Schemas } from "@app/client/types";
import { Timestamp } from "@app/components/times";
import { shownAs } from "@app/labels";

const VARIANTS: Record<Schemas["Level"], AlertProps["variant"]> = {
  ok: "success",
  attention: "warning",
  critical: "danger",
  unknown: "custom",
};

/** The one sentence. */
export function Verdict({
  overview,
  asOf,
}: {
  overview: Schemas["Overview"];
  asOf: string | null | undefined;
}) {
  const { verdict, last_hour: hour } = overview;
  const shown = shownAs("level", verdict.level);
  const Icon = shown.icon;
  return (
    <Alert
      isInline
      className="sg-verdict"
      variant={VARIANTS[verdict.level]}
      customIcon={<Icon />}
      component="h2"
      title={sentence(verdict.sentence)}
    >
      {shown.text}, as of <Timestamp at={asOf} />. In the last hour {hour.incidents_opened} incidents were
      opened, {hour.degraded} checks of instances began to fail, and {hour.recovered} recovered.
    </Alert>
  );
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}
