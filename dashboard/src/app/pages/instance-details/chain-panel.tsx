import { Flex, List, ListItem, Tooltip } from "@patternfly/react-core";
import { Link } from "react-router";

import { Panel } from "@app/components/panel";
import { StatusLabel } from "@app/components/status-label";
import { Age } from "@app/components/times";
import type { WhyAnswer } from "@app/queries/instances";
import { to } from "@app/Routes";

import { STRENGTHS, chainOf, sentence, type ChainStep } from "./chain";

/** From the namespace to the people who wait for it: every join with how it was made and what it is worth. */
export function ChainPanel({ why }: { why: WhyAnswer }) {
  return (
    <Panel title="Provisioning chain">
      <List isPlain isBordered aria-label="Provisioning chain">
        {chainOf(why).map((step) => (
          <ListItem key={step.kind}>
            <Step step={step} subjects={why.subjects} />
          </ListItem>
        ))}
        <ListItem>
          <Tooltip content="Who comes, and when.">
            {/* eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex */}
            <strong tabIndex={0}>Session</strong>
          </Tooltip>
          <Session session={why.next_session ?? null} />
        </ListItem>
      </List>
    </Panel>
  );
}

function Step({ step, subjects }: { step: ChainStep; subjects: WhyAnswer["subjects"] }) {
  return (
    <>
      <Tooltip content={step.meaning}>
        {/* eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex */}
        <strong tabIndex={0}>{step.title}</strong>
      </Tooltip>
      {step.missing !== null && <div className="sg-unknown">{step.missing}</div>}
      {step.joined.map((row) => {
        const subject = subjects.find(({ uid }) => row.kind === "subject" && uid === row.key);
        return (
          <div key={row.key}>
            <Flex columnGap={{ default: "columnGapSm" }}>
              <Name row={row} />
              {subject === undefined ? (
                row.state != null && <span>{row.state}</span>
              ) : (
                <StatusLabel of="subject" value={subject.class} text={subject.state ?? undefined} isCompact />
              )}
              <StatusLabel
                of="strength"
                value={row.strength}
                hint={STRENGTHS[row.strength]?.hint}
                isCompact
              />
            </Flex>
            <div className="sg-subtle">
              joined by {row.method}, <Age at={row.since} />
            </div>
            {subject?.stuck != null && <div>{sentence(subject.stuck.detail)}</div>}
            {subject?.message != null && <div>{sentence(subject.message)}</div>}
          </div>
        );
      })}
    </>
  );
}

function Name({ row }: { row: ChainStep["joined"][number] }) {
  switch (row.kind) {
    case "subject":
      return <Link to={to.subject(row.key)}>{row.name}</Link>;
    case "resource-pool":
      return <Link to={to.pool(row.name)}>{row.name}</Link>;
    case "lab":
      return <Link to={to.lab(row.key)}>{row.name === row.key ? row.key : `${row.key} ${row.name}`}</Link>;
    default:
      return <span>{row.name}</span>;
  }
}

function Session({ session }: { session: WhyAnswer["next_session"] | null }) {
  if (session == null)
    return (
      <div className="sg-unknown">No session of its lab runs or is still to come, as far as is known.</div>
    );
  return (
    <>
      <Flex columnGap={{ default: "columnGapSm" }}>
        <Link to={to.lab(session.lab_code, { tab: "sessions" })}>
          {session.room ?? "No room yet"}, <Age at={session.starts_at} none="no time yet" />
        </Link>
        <StatusLabel of="verdict" value={session.verdict} isCompact />
      </Flex>
      <div className="sg-subtle">{session.sentence}</div>
    </>
  );
}
