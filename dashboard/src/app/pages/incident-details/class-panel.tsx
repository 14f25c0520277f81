import { Content } from "@patternfly/react-core";

import { Loaded } from "@app/components/loaded";
import { Panel } from "@app/components/panel";
import { stageName } from "@app/labels";
import { useFailureClass, useStages } from "@app/queries/knowledge";

import { paragraphsOf } from "./paragraphs";

/** What the class means and what to do about it, in the rubric's words; of no class, what the stage looks for. */
export function ClassPanel({ id, stage }: { id: string | null; stage: string }) {
  return (
    <Panel title="What it means, and what to do">
      {id === null ? (
        <Content component="p">No failure class fits what is observed. The stage says:</Content>
      ) : (
        <ClassText id={id} />
      )}
      <StageText stage={stage} />
    </Panel>
  );
}

function ClassText({ id }: { id: string }) {
  const failureClass = useFailureClass(id);
  return (
    <Loaded query={failureClass} rows={3} notes={false}>
      {({ data }) => (
        <Content>
          <Content component="h3">{data.title}</Content>
          <Content component="p">{data.description}</Content>
          {data.action_title != null && (
            <>
              <Content component="h3">First: {data.action_title}</Content>
              <Content component="p">{data.action_description}</Content>
            </>
          )}
        </Content>
      )}
    </Loaded>
  );
}

/** The stage's own lines, one a sentence: what it looks for, why, when a fix is unsafe. */
function StageText({ stage }: { stage: string }) {
  const summary = useStages().data?.data.find((one) => one.stage === stage)?.summary;
  if (summary === undefined || summary === "") return null;
  return (
    <Content>
      <Content component="h3">{stageName(stage)}</Content>
      {paragraphsOf(summary).map((line) => (
        <Content component="small" key={line}>
          {line}
        </Content>
      ))}
    </Content>
  );
}
