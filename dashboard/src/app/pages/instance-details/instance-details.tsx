import { PageFrame } from "@app/components/page-frame";

export default function InstanceDetails() {
  return <PageFrame title="Instance">{null}</PageFrame>;
}
