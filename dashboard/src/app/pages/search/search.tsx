import { PageFrame } from "@app/components/page-frame";

export default function Search() {
  return <PageFrame title="Search">{null}</PageFrame>;
}
