// Chooses the theme before the first paint. The same rule as in src/app/hooks/theme.ts.
(function () {
  var chosen = null;
  try {
    chosen = window.localStorage.getItem("stargate.theme");
  } catch {
    chosen = null;
  }
  var dark =
    chosen === "dark" || (chosen !== "light" && window.matchMedia("(prefers-color-scheme: dark)").matches);
  document.documentElement.classList.toggle("pf-v6-theme-dark", dark);
})();
