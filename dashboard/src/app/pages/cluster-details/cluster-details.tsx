import { PageFrame } from "@app/components/page-frame";

export default function ClusterDetails() {
  return <PageFrame title="Cluster">{null}</PageFrame>;
}
