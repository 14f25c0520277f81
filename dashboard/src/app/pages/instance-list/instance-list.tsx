import { PageFrame } from "@app/components/page-frame";

export default function InstanceList() {
  return <PageFrame title="Instances">{null}</PageFrame>;
}
