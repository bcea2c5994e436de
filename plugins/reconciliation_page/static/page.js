// Light work of our own: theme, links out of Airflow's frame, progress, arrow keys, choosing all. Every page works without it.
"use strict";

const root = document.documentElement;

// Airflow's own document, whose frame this page stands in; null where it stands alone.
function airflow() {
  try {
    return window.parent !== window && window.parent.document.documentElement ? window.parent : null;
  } catch {
    return null;
  }
}

// Airflow keeps its theme as a class of its root element, and the user's choice in the storage that we share.
function theme() {
  const frame = airflow();
  if (frame) {
    const classes = frame.document.documentElement.classList;
    if (classes.contains("dark")) return "dark";
    if (classes.contains("light")) return "light";
  }
  let chosen = null;
  try {
    chosen = window.localStorage.getItem("theme");
  } catch {
    // no storage: as the system wishes
  }
  if (chosen === "dark" || chosen === "light") return chosen;
  return window.matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
}

function follow() {
  root.dataset.theme = theme();
}

follow();
root.classList.add("scripted");
window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", follow);
window.addEventListener("storage", (event) => {
  if (event.key === "theme") follow();
});
if (airflow()) {
  new MutationObserver(follow).observe(airflow().document.documentElement, { attributeFilter: ["class"] });
}

function busy(is) {
  const bar = document.querySelector(".progress");
  if (bar) bar.hidden = !is;
}

// Airflow's frame may not navigate what is around it; its own document may.
function leave(link) {
  const frame = airflow();
  if (!frame) return false;
  const way = frame.document.createElement("a");
  way.href = link.href;
  frame.document.body.append(way);
  way.click();
  way.remove();
  return true;
}

// A link to a place of this very page loads nothing.
function addressed(where) {
  return where.href.split("#")[0];
}

document.addEventListener("click", (event) => {
  const link = event.target.closest?.("a[href]");
  if (!link || event.defaultPrevented || event.button || event.ctrlKey || event.metaKey || event.shiftKey) return;
  if (link.target === "_top") {
    if (leave(link)) event.preventDefault();
  } else if (!link.hasAttribute("download") && !(link.hash && addressed(link) === addressed(location))) {
    busy(true);
  }
});

document.addEventListener("submit", (event) => {
  if (event.submitter?.formMethod === "dialog") return;
  busy(true);
  // A second press of the button is no second change; the first one's value is taken before it is disabled.
  const form = event.target;
  if (form.method === "post") setTimeout(() => form.querySelectorAll("button").forEach((each) => (each.disabled = true)));
});

window.addEventListener("pageshow", () => {
  busy(false);
  document.querySelectorAll("form[method=post] button").forEach((each) => (each.disabled = each.hasAttribute("data-off")));
  // By now a page that one came back to has its boxes again.
  counted();
});

document.addEventListener("change", (event) => {
  if (event.target.matches("[data-all]")) {
    const boxes = document.querySelectorAll(`input[name="${event.target.dataset.all}"]`);
    boxes.forEach((box) => (box.checked = event.target.checked));
  }
  if (event.target.matches("input[type=checkbox]")) counted();
});

// How many are chosen, beside the buttons that act on them.
function counted() {
  document.querySelectorAll("[data-count-of]").forEach((place) => {
    const chosen = document.querySelectorAll(`input[name="${place.dataset.countOf}"]:checked`).length;
    place.textContent = String(chosen);
  });
}

// Arrow keys move among the days of the calendar, as they do among the cells of a table.
const STEPS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

document.addEventListener("keydown", (event) => {
  const step = STEPS[event.key];
  const cell = event.target.closest?.("[data-grid] td");
  if (!step || !cell) return;
  const rows = [...cell.closest("tbody").rows];
  let column = cell.cellIndex;
  let row = rows.indexOf(cell.parentElement);
  for (;;) {
    column += step[0];
    row += step[1];
    const next = rows[row]?.cells[column];
    if (!next) return;
    const link = next.querySelector("a");
    if (link) {
      event.preventDefault();
      link.focus();
      return;
    }
  }
});
