import { useEffect } from "react";

import { createStore, useStore } from "./store";

export type Theme = "light" | "dark" | "system";

const KEY = "stargate.theme";
const DARK_CLASS = "pf-v6-theme-dark";

function kept(): Theme {
  try {
    const value = window.localStorage.getItem(KEY);
    return value === "light" || value === "dark" ? value : "system";
  } catch {
    return "system";
  }
}

const theme = createStore<Theme>(kept());

function systemIsDark(): boolean {
  return window.matchMedia("(prefers-color-scheme: dark)").matches;
}

/** Shows a theme, and keeps it for the next visit; the system's own is kept as nothing. */
export function chooseTheme(next: Theme): void {
  try {
    if (next === "system") window.localStorage.removeItem(KEY);
    else window.localStorage.setItem(KEY, next);
  } catch {
    // Private windows may keep nothing: the theme holds until the page is left.
  }
  theme.set(next);
}

/** The theme, applied to the document; follows the system's when nobody chose. */
export function useTheme(): { theme: Theme; isDark: boolean } {
  const chosen = useStore(theme);
  const isDark = chosen === "dark" || (chosen === "system" && systemIsDark());
  useEffect(() => {
    const media = window.matchMedia("(prefers-color-scheme: dark)");
    const apply = () => {
      const dark = chosen === "dark" || (chosen === "system" && media.matches);
      document.documentElement.classList.toggle(DARK_CLASS, dark);
    };
    apply();
    media.addEventListener("change", apply);
    return () => {
      media.removeEventListener("change", apply);
    };
  }, [chosen]);
  return { theme: chosen, isDark };
}
