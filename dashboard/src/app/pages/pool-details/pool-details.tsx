import { PageFrame } from "@app/components/page-frame";

export default function PoolDetails() {
  return <PageFrame title="Pool">{null}</PageFrame>;
}
