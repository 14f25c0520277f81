import { useEffect } from "react";
import { useNavigate } from "react-router";

import { paths } from "@app/Routes";

/** `g`, then one of these. */
export const PLACES: readonly { key: string; name: string; path: string }[] = [
  { key: "o", name: "Overview", path: paths.overview },
  { key: "c", name: "Clusters", path: paths.clusters },
  { key: "l", name: "Labs", path: paths.labs },
  { key: "i", name: "Incidents", path: paths.incidents },
  { key: "p", name: "Provisioning", path: paths.provisioning },
  { key: "r", name: "Recommendations", path: paths.recommendations },
  { key: "s", name: "Settings", path: paths.settings },
];

/** How long `g` waits for its second key. */
const SECOND_KEY_MS = 1_500;

/** Keys belong to a field while somebody writes in it, and to a dialog while it is open. */
function isTaken(event: KeyboardEvent): boolean {
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return true;
  const target = event.target;
  if (!(target instanceof HTMLElement)) return false;
  return (
    target.isContentEditable || target.closest("input, textarea, select, [role=dialog], [role=menu]") !== null
  );
}

type Actions = { focusSearch: () => void; showHelp: () => void };

/** Works the dashboard from the keyboard. */
export function useShortcuts({ focusSearch, showHelp }: Actions): void {
  const navigate = useNavigate();
  useEffect(() => {
    let goingSince: number | null = null;
    const onKey = (event: KeyboardEvent) => {
      if (isTaken(event)) return;
      const going = goingSince !== null && event.timeStamp - goingSince < SECOND_KEY_MS;
      goingSince = null;
      const place = going ? PLACES.find(({ key }) => key === event.key) : undefined;
      if (place !== undefined) void navigate(place.path);
      else if (event.key === "g") goingSince = event.timeStamp;
      else if (event.key === "/") focusSearch();
      else if (event.key === "?") showHelp();
      else return;
      event.preventDefault();
    };
    document.addEventListener("keydown", onKey);
    return () => {
      document.removeEventListener("keydown", onKey);
    };
  }, [navigate, focusSearch, showHelp]);
}
