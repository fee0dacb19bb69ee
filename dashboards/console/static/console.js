// Conveniences only: every page works without this file.
"use strict";

const $ = (selector, within = document) => within.querySelector(selector);
const $$ = (selector, within = document) => [...within.querySelectorAll(selector)];
const typing = (target) => target.matches("input:not([type=checkbox]), select, textarea, [contenteditable]");

// ---- keys

const rows = () => $$("[data-row]");

function current() {
  return document.activeElement.closest("[data-row]") || $("[data-row].here");
}

function move(step) {
  const all = rows();
  if (!all.length) return;
  const at = all.indexOf(current());
  const next = at < 0 ? (step > 0 ? 0 : all.length - 1) : Math.min(all.length - 1, Math.max(0, at + step));
  $$("[data-row].here").forEach((row) => row.classList.remove("here"));
  all[next].classList.add("here");
  $("a.title", all[next]).focus();
  all[next].scrollIntoView({ block: "nearest" });
}

function tick() {
  const box = current() && $("input[type=checkbox]", current());
  if (box) box.click();
}

function judge() {
  const form = $("[data-verdict]");
  if (form) {
    form.scrollIntoView({ block: "center" });
    $("button[name=verdict]", form).focus();
    form.dataset.open = "yes";
    return;
  }
  const link = (current() || rows()[0] || document.body).querySelector("a.judge");
  if (link) location.href = link.href;
}

function verdict(number) {
  const form = $("[data-verdict]");
  if (!form || !(form.dataset.open || form.contains(document.activeElement))) return;
  const button = $$("button[name=verdict]", form)[number - 1];
  if (button) button.click();
}

function find(event) {
  const box = $("[data-find]");
  if (!box) return;
  event.preventDefault();
  box.focus();
  box.select();
}

function help() {
  const dialog = $("#keys");
  if (dialog && !dialog.open) dialog.showModal();
}

function pressed(event, key) {
  const target = $(`[data-key="${key}"]`);
  if (!target) return;
  event.preventDefault();
  if (target.matches("textarea")) target.focus();
  else target.click();
}

// the pages that are the reader's stand as links in the list of keys
const place = (key) => $$("#keys [data-go]").find((link) => link.dataset.go === key);
let going = 0;

const KEYS = {
  j: () => move(1),
  k: () => move(-1),
  x: tick,
  v: judge,
  1: () => verdict(1),
  2: () => verdict(2),
  3: () => verdict(3),
  "/": find,
  "?": help,
  a: (event) => pressed(event, "a"),
  n: (event) => pressed(event, "n"),
  p: () => { const plan = $("#plan"); if (plan) { plan.tabIndex = -1; plan.focus(); plan.scrollIntoView(); } },
  g: () => { going = Date.now(); },
};

// whoever speaks to their machine, or whose hand slips, switches single keys off on the page of keys (WCAG 2.2, 2.1.4)
const keysOff = "keysOff" in document.body.dataset;

document.addEventListener("keydown", (event) => {
  if (keysOff && event.key.length === 1) return;
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "Escape" && typing(event.target)) event.target.blur();
  if (typing(event.target) || $("dialog[open]")) return;
  const link = Date.now() - going < 1500 && place(event.key);
  if (link) {
    location.href = link.href;
    return;
  }
  if (KEYS[event.key]) KEYS[event.key](event);
});

document.addEventListener("click", (event) => {
  const link = event.target.closest && event.target.closest("[data-keys]");
  if (link) {
    event.preventDefault();
    help();
  }
  for (const menu of $$("details.menu[open], details.save-view[open]")) if (!menu.contains(event.target)) menu.open = false;
});

// ---- bulk: how many are ticked

function countTicked() {
  const n = $$("input[name=number]:checked").length;
  const note = $("[data-ticked]");
  if (!note) return;
  note.hidden = !n;
  $("[data-ticked-n]").textContent = n;
}
document.addEventListener("change", (event) => { if (event.target.name === "number") countTicked(); });

// ---- verdict page: opened for it

if (location.hash === "#verdict") judge();

// ---- times in the viewer's zone; the page is made in Japan time, which stays in the title

const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;

function localTimes(within) {
  if (!zone || zone === "Asia/Tokyo" || zone === "Japan") return;
  const parts = { month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit", hourCycle: "h23" };
  for (const element of $$("time[datetime]", within)) {
    if (element.dataset.local) continue;
    const seconds = element.textContent.split(":").length > 2 ? { second: "2-digit" } : {};
    const moment = new Date(element.dateTime);
    element.dataset.local = zone;
    element.textContent = new Intl.DateTimeFormat("ja-JP", { ...parts, ...seconds }).format(moment);
    element.title = `${zone} — ${element.title}`;
  }
}
localTimes(document);

function saysZone() {
  const note = $("[data-zone-note]");
  if (!note || !$("time[data-local]") || !$(".chart, input[type=datetime-local]")) return;
  $("[data-zone]", note).textContent = zone;
  note.hidden = false;
}
saysZone();

// ---- live: told that something changed, the page fetches itself; never under a person's hands

let pulse = null;

function busy() {
  const active = document.activeElement;
  return Boolean(
    $("dialog[open], details.menu[open], details.save-view[open], input[name=number]:checked") ||
      (active && typing(active)) || $$("textarea").some((area) => area.value !== area.defaultValue),
  );
}

async function refresh() {
  const part = $("[data-live-part]");
  const note = $("[data-live-note]");
  if (!part || busy()) {
    note.hidden = false;
    return;
  }
  const answer = await fetch(location.href, { headers: { "X-Hinomi-Live": "1" } });
  if (!answer.ok || answer.redirected) {
    stale();
    return;
  }
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const fresh = $("[data-live-part]", page);
  if (!fresh) {
    note.hidden = false;
    return;
  }
  const here = current() && current().dataset.number;
  part.replaceWith(fresh);
  localTimes(fresh);
  const views = $(".views");
  if (views && $(".views", page)) views.replaceWith($(".views", page));
  const row = here && $(`[data-row][data-number="${here}"]`);
  if (row) $("a.title", row).focus({ preventScroll: true });
}

// a screen that nobody touches is signed out; whoever looks at it must see that it stands still
const PATIENCE = 60e3;

function stale() {
  const note = $("[data-live-stale]");
  if (note) note.hidden = false;
}

if ($("[data-live]") && window.EventSource) {
  const source = new EventSource("/live");
  let waiting = 0;
  source.addEventListener("open", () => {
    clearTimeout(waiting);
    waiting = 0;
    const note = $("[data-live-stale]");
    if (note && !note.hidden) {
      note.hidden = true;
      refresh().catch(stale);
    }
  });
  // each attempt to reach it again fails with an error of its own: the patience counts from the first
  source.addEventListener("error", () => {
    if (source.readyState === EventSource.CLOSED) stale();
    else waiting = waiting || setTimeout(stale, PATIENCE);
  });
  source.addEventListener("message", (event) => {
    if (pulse !== null && pulse !== event.data) refresh().catch(stale);
    pulse = event.data;
  });
  window.addEventListener("pagehide", () => source.close());
}

// ---- brush: drag across a drawing to choose a stretch of time

const two = (n) => String(n).padStart(2, "0");

function japan(moment) {
  const t = new Date(moment.getTime() + 9 * 3600e3);
  return `${t.getUTCFullYear()}-${two(t.getUTCMonth() + 1)}-${two(t.getUTCDate())}T${two(t.getUTCHours())}:${two(t.getUTCMinutes())}:${two(t.getUTCSeconds())}`;
}

function brush(frame) {
  const from = new Date(frame.dataset.from).getTime();
  const to = new Date(frame.dataset.to).getTime();
  let start = null;
  const svg = () => $$("svg", frame).find((one) => one.getClientRects().length);
  // what the drawing's scale takes, as a share of it: the narrow drawing's is larger
  const margin = () => Number(frame.dataset.left || 0) / svg().viewBox.baseVal.width;
  const at = (event) => {
    const box = svg().getBoundingClientRect();
    const left = margin();
    const share = ((event.clientX - box.left) / box.width - left) / (1 - left);
    return Math.min(1, Math.max(0, share));
  };
  const mark = document.createElementNS("http://www.w3.org/2000/svg", "rect");
  mark.setAttribute("class", "brushed");
  mark.setAttribute("y", "0");
  frame.addEventListener("pointerdown", (event) => {
    if (event.button !== 0 || !svg()) return;
    start = at(event);
    svg().append(mark);
    mark.setAttribute("width", "0");
  });
  frame.addEventListener("pointermove", (event) => {
    if (start === null) return;
    const width = svg().viewBox.baseVal.width;
    const left = margin();
    const [a, b] = [start, at(event)].sort((x, y) => x - y);
    mark.setAttribute("height", svg().viewBox.baseVal.height);
    mark.setAttribute("x", (left + a * (1 - left)) * width);
    mark.setAttribute("width", (b - a) * (1 - left) * width);
  });
  const finish = (event) => {
    if (start === null) return;
    const [a, b] = [start, at(event)].sort((x, y) => x - y);
    start = null;
    mark.remove();
    if (b - a < 0.01) return;
    frame.dataset.brushed = "yes";
    const address = frame.dataset.address
      .replace("FROM", encodeURIComponent(japan(new Date(from + a * (to - from)))))
      .replace("TO", encodeURIComponent(japan(new Date(from + b * (to - from)))));
    location.href = address;
  };
  frame.addEventListener("pointerup", finish);
  frame.addEventListener("pointerleave", finish);
  frame.addEventListener("click", (event) => { if (frame.dataset.brushed) event.preventDefault(); }, true);
  frame.addEventListener("dragstart", (event) => event.preventDefault());
}
$$("[data-brush]").forEach(brush);

// ---- completion of the query: fields, then their values

function completion(box) {
  const list = $(`#${box.getAttribute("aria-controls")}`);
  let chosen = -1;
  let timer = 0;
  let asked = 0;
  const close = () => { list.hidden = true; chosen = -1; box.setAttribute("aria-expanded", "false"); box.removeAttribute("aria-activedescendant"); };
  const take = (item) => {
    const head = box.value.slice(0, Number(item.dataset.from));
    const tail = box.value.slice(box.selectionStart);
    box.value = head + item.dataset.text + tail;
    box.selectionStart = box.selectionEnd = head.length + item.dataset.text.length;
    close();
    box.focus();
    if (item.dataset.text.endsWith(": ")) ask();
  };
  const show = (found) => {
    list.replaceChildren(...found.items.map((one, n) => {
      const item = document.createElement("li");
      item.id = `${list.id}-${n}`;
      item.role = "option";
      item.dataset.from = found.from;
      item.dataset.text = one.text;
      item.append(Object.assign(document.createElement("span"), { textContent: one.shown }));
      item.append(Object.assign(document.createElement("span"), { className: "quiet small", textContent: one.note }));
      item.addEventListener("pointerdown", (event) => { event.preventDefault(); take(item); });
      return item;
    }));
    list.hidden = !found.items.length;
    chosen = -1;
    box.setAttribute("aria-expanded", String(!list.hidden));
  };
  const ask = async () => {
    const number = (asked += 1);
    const form = new URLSearchParams(new FormData(box.form));
    form.set("at", box.selectionStart);
    const answer = await fetch(`/search/complete?${form}`, { headers: { "X-Hinomi-Live": "1" } });
    if (answer.ok && number === asked) show(await answer.json());
  };
  const choose = (step) => {
    const items = $$("li", list);
    chosen = (chosen + step + items.length) % items.length;
    items.forEach((item, n) => item.setAttribute("aria-selected", String(n === chosen)));
    box.setAttribute("aria-activedescendant", items[chosen].id);
    items[chosen].scrollIntoView({ block: "nearest" });
  };
  box.addEventListener("input", () => { clearTimeout(timer); timer = setTimeout(ask, 120); });
  box.addEventListener("blur", close);
  box.addEventListener("keydown", (event) => {
    if (event.key === " " && event.ctrlKey) { event.preventDefault(); ask(); }
    if (list.hidden) return;
    if (event.key === "ArrowDown" || event.key === "ArrowUp") { event.preventDefault(); choose(event.key === "ArrowDown" ? 1 : -1); }
    if ((event.key === "Enter" || event.key === "Tab") && chosen >= 0) { event.preventDefault(); take($$("li", list)[chosen]); }
    if (event.key === "Escape") { event.stopPropagation(); close(); }
  });
}
$$("[data-complete]").forEach(completion);

// ---- on a phone: a table that is wider than the screen is read a row at a time, each value beside its column's name, and the
// page that one is on stands in the row of pages

const phone = matchMedia("(max-width: 640px)");

function stack(table) {
  const names = $$("thead th", table).map((head) => head.innerText);
  for (const row of $$("tbody tr", table)) {
    row.role = "row";
    if (row.cells.length === names.length) [...row.cells].forEach((cell, n) => { cell.dataset.name = names[n]; });
    for (const cell of row.cells) cell.role = cell.matches("th") ? "rowheader" : "cell";
  }
  table.role = "table";
  table.classList.add("stacked");
}

function fit() {
  for (const table of $$(".scroll > table:not(.queue, .audit)")) {
    const frame = table.parentElement;
    table.classList.remove("stacked");
    if (phone.matches && frame.scrollWidth > frame.clientWidth) stack(table);
  }
  for (const here of $$(".rooms [aria-current], .views [aria-current]")) {
    const row = here.parentElement;
    row.scrollLeft = here.offsetLeft - row.offsetLeft - (row.clientWidth - here.offsetWidth) / 2;
  }
}
fit();
phone.addEventListener("change", fit);
document.addEventListener("toggle", () => phone.matches && fit(), true);

// ---- a form is sent once: a second click on a slow line must not decide twice

document.addEventListener("submit", (event) => {
  if (event.target.method !== "post") return;
  if (event.target.dataset.sent) event.preventDefault();
  if (event.target.matches("[data-download]") || (event.submitter && event.submitter.matches("[data-download]"))) return;
  event.target.dataset.sent = "yes";
});
window.addEventListener("pageshow", () => {
  for (const form of document.forms) delete form.dataset.sent;
});
