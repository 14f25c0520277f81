import { PageFrame } from "@app/components/page-frame";

export default function SubjectDetails() {
  return <PageFrame title="Subject">{null}</PageFrame>;
}
