import { PageFrame } from "@app/components/page-frame";

export default function RecommendationList() {
  return <PageFrame title="Recommendations">{null}</PageFrame>;
}
