import { Flex, FlexItem, List, ListItem } from "@patternfly/react-core";
import { Link } from "react-router";

import { paths, to } from "@app/Routes";
import { Loaded } from "@app/components/loaded";
import { Panel } from "@app/components/panel";
import { StatusLabel } from "@app/components/status-label";
import { useTopAdvice } from "@app/queries/overview";

/** What the rules advise, the most urgent first. */
export function Advice() {
  const advice = useTopAdvice();
  return (
    <Panel title="Recommendations" actions={<Link to={paths.recommendations}>All recommendations</Link>}>
      <Loaded
        query={advice}
        rows={4}
        notes={false}
        empty={{ title: "No advice", reason: "No rule finds anything to do in what is known." }}
      >
        {({ data }) => (
          <List isPlain isBordered>
            {data.map((one) => (
              <ListItem key={one.id}>
                <Flex flexWrap={{ default: "nowrap" }} alignItems={{ default: "alignItemsFlexStart" }}>
                  <FlexItem>
                    <StatusLabel of="urgency" value={one.urgency} isCompact />
                  </FlexItem>
                  <FlexItem>
                    <Link to={to.recommendation(one.id)}>{one.title}</Link>
                    <div className="sg-subtle sg-break">
                      {one.scope_key}: {one.decision}
                    </div>
                  </FlexItem>
                </Flex>
              </ListItem>
            ))}
          </List>
        )}
      </Loaded>
    </Panel>
  );
}
