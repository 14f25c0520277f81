import { PageFrame } from "@app/components/page-frame";

export default function RecommendationDetails() {
  return <PageFrame title="Recommendation">{null}</PageFrame>;
}
