import { PageFrame } from "@app/components/page-frame";

export default function IncidentDetails() {
  return <PageFrame title="Incident">{null}</PageFrame>;
}
