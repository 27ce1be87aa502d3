// Loaded before the first paint, so that a chosen theme never flashes. A classic script for that reason.
(() => {
  const root = document.documentElement;
  const read = () => { try { return localStorage.getItem("theme"); } catch { return null; } };
  const keep = (theme) => { try { localStorage.setItem("theme", theme); } catch { /* a browser that keeps nothing */ } };
  if (read()) root.dataset.theme = read();
  addEventListener("storage", (event) => { if (event.key === "theme" && event.newValue) root.dataset.theme = event.newValue; });
  addEventListener("click", (event) => {
    if (!event.target.closest?.('[data-action="theme"]')) return;
    const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
    keep((root.dataset.theme = dark ? "light" : "dark"));
  });
})();
