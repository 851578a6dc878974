// Gives names to what Django's widgets leave nameless for who listens to the page: choosers, which
// are boxes beside a hidden list, and icons that only have a label.

function giveNames() {
  for (const select of document.querySelectorAll("select.admin-autocomplete")) {
    const label = document.querySelector(`label[for="${select.id}"]`);
    const box = select.parentElement.querySelector(".select2-selection");
    if (!label || !box) continue;
    label.id ||= `${select.id}_label`;
    for (const part of [box, ...box.querySelectorAll("[role=textbox]")]) {
      part.setAttribute("aria-labelledby", label.id);
    }
  }
  for (const icon of document.querySelectorAll(".help-tooltip.search-label-icon")) {
    icon.setAttribute("role", "img");
  }
}

document.addEventListener("DOMContentLoaded", () => {
  giveNames();
  // the widgets make their parts at times of their own
  new MutationObserver(giveNames).observe(document.body, { childList: true, subtree: true });
});
