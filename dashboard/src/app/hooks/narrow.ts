import { useSyncExternalStore } from "react";

/** Below this nothing stands side by side that has eleven parts: tablets, and windows that share a screen. */
const NARROW = "(width < 75rem)";

function watch(tell: () => void): () => void {
  const media = window.matchMedia(NARROW);
  media.addEventListener("change", tell);
  return () => {
    media.removeEventListener("change", tell);
  };
}

/** Whether the window is too narrow for what is wide. */
export function useIsNarrow(): boolean {
  return useSyncExternalStore(watch, () => window.matchMedia(NARROW).matches);
}
