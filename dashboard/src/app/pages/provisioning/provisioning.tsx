import { PageFrame } from "@app/components/page-frame";

export default function Provisioning() {
  return <PageFrame title="Provisioning">{null}</PageFrame>;
}
