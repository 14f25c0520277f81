import {
  Button,
  Content,
  ProgressStep,
  ProgressStepper,
  type ProgressStepProps,
} from "@patternfly/react-core";
import CheckCircleIcon from "@patternfly/react-icons/dist/esm/icons/check-circle-icon";
import ExclamationCircleIcon from "@patternfly/react-icons/dist/esm/icons/exclamation-circle-icon";
import ExclamationTriangleIcon from "@patternfly/react-icons/dist/esm/icons/exclamation-triangle-icon";
import OutlinedQuestionCircleIcon from "@patternfly/react-icons/dist/esm/icons/outlined-question-circle-icon";
import type { ComponentType } from "react";

import { useIsNarrow } from "@app/hooks/narrow";
import { stageName } from "@app/labels";
import type { PipelineStage } from "@app/queries/labs";

import { countWords, percent, stepState, type StepState } from "./pipeline";

type Shown = { variant: NonNullable<ProgressStepProps["variant"]>; icon: ComponentType; word: string };

const STATES: Readonly<Record<StepState, Shown>> = {
  failing: { variant: "danger", icon: ExclamationCircleIcon, word: "failing" },
  warning: { variant: "warning", icon: ExclamationTriangleIcon, word: "needs a look" },
  unknown: { variant: "pending", icon: OutlinedQuestionCircleIcon, word: "not all is known" },
  pass: { variant: "success", icon: CheckCircleIcon, word: "passes" },
};

type Props = {
  stages: readonly PipelineStage[];
  sessionIsNear: boolean;
  chosen: readonly string[];
  onChoose: (stage: string) => void;
};

/** The stages that apply to a lab, in order; each is a button that picks the instances which do not get past it. */
export function PipelineSteps({ stages, sessionIsNear, chosen, onChoose }: Props) {
  const isNarrow = useIsNarrow();
  const absent = stages.filter(({ applicable }) => !applicable);
  return (
    <>
      <ProgressStepper aria-label="Stages of the lab" isCenterAligned={!isNarrow} isVertical={isNarrow}>
        {stages
          .filter(({ applicable }) => applicable)
          .map((stage) => {
            const { variant, icon: Icon, word } = STATES[stepState(stage, sessionIsNear)];
            const isChosen = chosen.includes(stage.stage);
            const share = stage.share_failing ?? 0;
            return (
              <ProgressStep
                key={stage.stage}
                id={`step-${stage.stage}`}
                titleId={`step-title-${stage.stage}`}
                variant={variant}
                icon={<Icon />}
                isCurrent={isChosen}
                aria-label={word}
                description={`${countWords(stage.outcomes)}${share > 0 ? ` (${percent(share)} of the known)` : ""}`}
              >
                <Button
                  variant="link"
                  isInline
                  aria-pressed={isChosen}
                  onClick={() => {
                    onChoose(stage.stage);
                  }}
                >
                  {stageName(stage.stage)}
                </Button>
              </ProgressStep>
            );
          })}
      </ProgressStepper>
      {absent.length > 0 && (
        <Content component="small">
          {absent.length} not applicable here: {absent.map(({ stage }) => stageName(stage)).join(", ")}.
        </Content>
      )}
    </>
  );
}
