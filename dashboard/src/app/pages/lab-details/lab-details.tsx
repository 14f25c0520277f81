import { PageFrame } from "@app/components/page-frame";

export default function LabDetails() {
  return <PageFrame title="Lab">{null}</PageFrame>;
}
