import { PageFrame } from "@app/components/page-frame";

export default function Overview() {
  return <PageFrame title="Overview">{null}</PageFrame>;
}
