import { PageFrame } from "@app/components/page-frame";

export default function ClusterList() {
  return <PageFrame title="Clusters">{null}</PageFrame>;
}
