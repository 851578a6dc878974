// Keeps the parts of a page live that have data-live: the address that answers with their content.
// Nothing is asked while nobody looks, and a part that could not be asked for says so.
"use strict";

(() => {
  const PAUSE = 3000;

  const replace = (part, html) => {
    const links = () => [...part.querySelectorAll("a")];
    const focused = links().indexOf(document.activeElement);
    part.innerHTML = html;
    if (focused >= 0) links()[focused]?.focus();
  };

  const refresh = async (part) => {
    if (document.hidden || part.dataset.asking) return;
    part.dataset.asking = "yes";
    try {
      const answer = await fetch(part.dataset.live, { redirect: "manual" });
      if (!answer.ok) throw new Error(String(answer.status));
      const html = await answer.text();
      if (html !== part.shown) replace(part, html);
      part.shown = html;
      part.classList.remove("lb-stale");
    } catch {
      // signed out, or the server is away: what is shown may be wrong by now
      part.classList.add("lb-stale");
    } finally {
      delete part.dataset.asking;
    }
  };

  document.addEventListener("DOMContentLoaded", () => {
    const parts = document.querySelectorAll("[data-live]");
    const refreshAll = () => parts.forEach(refresh);
    setInterval(refreshAll, PAUSE);
    document.addEventListener("visibilitychange", refreshAll);
  });
})();
