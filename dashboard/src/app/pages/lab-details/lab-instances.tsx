import { Loaded } from "@app/components/loaded";
import { useUrlState } from "@app/hooks/url-state";
import { InstanceTable } from "@app/pages/instance-list/instance-table";
import { useInstances } from "@app/queries/instances";

/** The filters of a lab's instances; the pipeline and the list of instances share them. */
export function useLabInstanceFilters() {
  return useUrlState({ many: ["cluster", "state", "stage", "class", "kind"], one: ["q"], sort: "onset_at" });
}

/** The lab's instances as the address filters them, the longest failing first. */
export function LabInstances({ code, url }: { code: string; url: ReturnType<typeof useLabInstanceFilters> }) {
  const instances = useInstances({ ...url.query, lab: [code] });
  return (
    <Loaded
      query={instances}
      rows={8}
      notes={false}
      filter={url}
      empty={{ title: "No instances", reason: "No namespace of this lab is there now." }}
    >
      {({ data, page }) => (
        <InstanceTable label={`Instances of ${code}`} rows={data} page={page} url={url} withLab={false} />
      )}
    </Loaded>
  );
}
