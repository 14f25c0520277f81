import { PageFrame } from "@app/components/page-frame";

export default function IncidentList() {
  return <PageFrame title="Incidents">{null}</PageFrame>;
}
