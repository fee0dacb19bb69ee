// What somebody has typed into a form outlives a session that ends and an answer that is an error: it stays in this tab until it
// was saved, another account signs in here, the reader signs out (in any tab of the browser), or half a day has passed, which any page
// sees, that of the sign-in too. Passwords, codes and files are never kept.
"use strict";

const TYPED = "hinomi-typed";
const LONGEST = 12 * 3600e3;
const MOST = 200e3;
const BASES = ["version", "before"];

function typedHeld() {
  try {
    const held = JSON.parse(sessionStorage.getItem(TYPED)) || {};
    return Object.fromEntries(Object.entries(held).filter(([, one]) => Date.now() - one.at < LONGEST));
  } catch {
    return {};
  }
}

function typedHold(held) {
  try {
    if (Object.keys(held).length) sessionStorage.setItem(TYPED, JSON.stringify(held));
    else sessionStorage.removeItem(TYPED);
  } catch {
    // no room, or no storage at all: the form works without
  }
}

// by its attribute: a field that is named "action" stands in for the property
const formKey = (form) => new URL(form.getAttribute("action") || "", location.href).pathname;
const mayKeep = (form) => form.method === "post" && form.closest("main") && !/^\/(account|sign-)/.test(formKey(form));
const asTyped = (field) => (/^(checkbox|radio)$/.test(field.type) ? field.checked : field.value);

function fieldsOf(form) {
  const secret = (one) => /password|one-time/.test(one.autocomplete) || /^(password|hidden|file|submit|button)$/.test(one.type);
  return [...form.elements].filter((one) => one.name && one.matches("input, select, textarea") && !secret(one));
}

function changed(field) {
  if (/^(checkbox|radio)$/.test(field.type)) return field.checked !== field.defaultChecked;
  if (field.matches("select")) return ![...field.options].every((one) => one.selected === one.defaultSelected) && field.selectedIndex > 0;
  return field.value !== field.defaultValue;
}

// a field's place among those of its name: what a form sends several times
const places = (fields) => fields.map((one, n) => [`${one.name} ${fields.slice(0, n).filter((other) => other.name === one.name).length}`, one]);

function keepTyped(form, sent = 0) {
  if (!mayKeep(form)) return;
  const held = typedHeld();
  const fields = places(fieldsOf(form)).filter(([, one]) => changed(one)).map(([place, one]) => [place, asTyped(one)]);
  if (fields.length && JSON.stringify(fields).length < MOST) {
    const bases = BASES.filter((name) => form.elements[name]).map((name) => [name, form.elements[name].value]);
    held[formKey(form)] = { user: document.body.dataset.user, page: location.pathname + location.search, at: Date.now(), fields, bases, sent };
  } else delete held[formKey(form)];
  typedHold(held);
}

function giveBack(form, kept) {
  const fields = Object.fromEntries(places(fieldsOf(form)));
  const back = kept.fields.filter(([place, value]) => fields[place] && asTyped(fields[place]) !== value);
  for (const [place, value] of back) {
    if (typeof value === "boolean") fields[place].checked = value;
    else fields[place].value = value;
    for (let fold = fields[place].closest("details"); fold; fold = fold.parentElement.closest("details")) fold.open = true;
  }
  // what was read when it was typed: whoever saved since is not overwritten unseen
  for (const [name, value] of kept.bases) if (back.length && form.elements[name]) form.elements[name].value = value;
  return back.length > 0;
}

function forget(wanted) {
  typedHold(Object.fromEntries(Object.entries(typedHeld()).filter((one) => !wanted(...one))));
}

const otherTabs = new BroadcastChannel("hinomi-signed-out");
otherTabs.addEventListener("message", () => typedHold({}));
typedHold(typedHeld()); // without what is too old

const reader = document.body.dataset.user;
const refused = Number(document.body.dataset.answered) >= 400;

if (reader) {
  forget((_, one) => one.user !== reader);
  if (!refused) forget((_, one) => one.sent && Date.now() - one.sent < 120e3);
}
if (refused) {
  const held = typedHeld();
  const last = Object.values(held).filter((one) => one.sent).sort((a, b) => b.at - a.at)[0];
  for (const one of Object.values(held)) one.sent = 0;
  typedHold(held);
  const again = document.querySelector("[data-again]");
  if (last && again) {
    again.href = reader ? last.page : `/sign-in?next=${encodeURIComponent(last.page)}`;
    document.querySelector("[data-kept]").hidden = false;
  }
}
if (reader && Number(document.body.dataset.answered) < 400) {
  const held = typedHeld();
  const forms = [...document.forms].filter((form) => mayKeep(form) && held[formKey(form)]);
  const back = forms.filter((form) => giveBack(form, held[formKey(form)]));
  const note = document.querySelector("[data-given-back]");
  if (back.length && note) {
    note.hidden = false;
    note.querySelector("button").addEventListener("click", () => {
      for (const form of back) form.reset();
      forget((key) => back.some((form) => formKey(form) === key));
      location.reload();
    });
  }
}

for (const kind of ["input", "change"]) document.addEventListener(kind, (event) => event.target.form && keepTyped(event.target.form));
document.addEventListener("submit", (event) => {
  if (formKey(event.target) === "/sign-out") {
    typedHold({});
    otherTabs.postMessage("");
  } else keepTyped(event.target, Date.now());
});
