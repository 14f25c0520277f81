import { PageFrame } from "@app/components/page-frame";

export default function LabList() {
  return <PageFrame title="Labs">{null}</PageFrame>;
}
