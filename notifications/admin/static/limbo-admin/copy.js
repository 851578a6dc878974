// Buttons with `data-copy` copy what it says; the page's status line says that they did.

async function copy(text, shown) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    // over plain HTTP there is no clipboard: what is selected can still be copied
    getSelection().selectAllChildren(shown);
    return document.execCommand("copy");
  }
}

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  const copied = await copy(button.dataset.copy, button.previousElementSibling);
  const status = document.getElementById("copied");
  status.textContent = copied ? `${button.dataset.name} copied.` : "It is selected: press Ctrl and C.";
  if (!copied) return;
  const icon = button.firstElementChild;
  icon.textContent = "check";
  setTimeout(() => { icon.textContent = "content_copy"; }, 2000);
});
