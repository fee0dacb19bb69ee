// Conveniences only: every page works without this file.
// j / k move through the queue, Enter opens, / goes to the search box.
"use strict";

const rows = () => [...document.querySelectorAll("[data-row] a.title")];

function move(step) {
  const links = rows();
  if (!links.length) return;
  const here = links.indexOf(document.activeElement);
  const next = here < 0 ? (step > 0 ? 0 : links.length - 1) : Math.min(links.length - 1, Math.max(0, here + step));
  links[next].focus();
  links[next].closest("tr").scrollIntoView({ block: "nearest" });
}

function typing(target) {
  return target.matches("input, select, textarea, [contenteditable]");
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || typing(event.target)) return;
  if (event.key === "j") move(1);
  else if (event.key === "k") move(-1);
  else if (event.key === "/") {
    const box = document.querySelector("[data-find]");
    if (box) {
      event.preventDefault();
      box.focus();
      box.select();
    }
  }
});

// A form is sent once: a second click on a slow line must not decide twice.
document.addEventListener("submit", (event) => {
  if (event.target.method !== "post") return;
  if (event.target.dataset.sent) event.preventDefault();
  event.target.dataset.sent = "yes";
});
window.addEventListener("pageshow", () => {
  for (const form of document.forms) delete form.dataset.sent;
});
