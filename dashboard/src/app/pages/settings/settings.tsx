import { PageFrame } from "@app/components/page-frame";

export default function Settings() {
  return <PageFrame title="Settings">{null}</PageFrame>;
}
