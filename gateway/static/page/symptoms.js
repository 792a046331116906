// Symptoms with search as you type: an editable combobox with a list, by the ARIA pattern.

import { byId, make, say } from "./dom.js";
import { allSymptoms, symptomName } from "./catalogue.js";

const MOST = 8;
const chosen = new Set();
let shown = [];
let active = -1;

export function initSymptoms() {
  const input = byId("symptom");
  if (!input) return;
  input.addEventListener("input", () => search(input.value));
  input.addEventListener("keydown", onKey);
  input.addEventListener("blur", () => setTimeout(close, 150));
}

/** The question of the chosen symptoms, or the fault as a text. */
export function askWithSymptoms() {
  if (!chosen.size) return { fault: say("symptoms.missing") };
  const name = [...chosen].map(symptomName).join(", ");
  return { body: { symptoms: [...chosen] }, query: "", name };
}

/** Choose these symptoms and no others. */
export function chooseSymptoms(names) {
  const known = new Map();
  for (const symptom of allSymptoms()) {
    for (const one of [symptom.id, symptom.name, ...symptom.synonyms]) {
      known.set(normal(one), symptom.id);
    }
  }
  chosen.clear();
  for (const name of names) if (known.has(normal(name))) chosen.add(known.get(normal(name)));
  draw();
}

function normal(text) {
  return text.trim().toLowerCase().replace(/[\s_/-]+/g, " ");
}

function search(text) {
  const wanted = normal(text);
  if (!wanted) return close();
  const rank = (symptom) => {
    const spellings = [symptom.name, symptom.id.replaceAll("_", " "), ...symptom.synonyms];
    const places = spellings.map((one) => one.toLowerCase().indexOf(wanted));
    return Math.min(...places.map((place) => (place < 0 ? Infinity : place)));
  };
  shown = allSymptoms()
    .filter((one) => !chosen.has(one.id))
    .map((one) => [rank(one), one])
    .filter(([place]) => place < Infinity)
    .sort((a, b) => a[0] - b[0] || a[1].name.localeCompare(b[1].name))
    .slice(0, MOST)
    .map(([, one]) => one);
  open();
}

function open() {
  const options = shown.map((one, index) =>
    make(
      "li",
      { role: "option", id: `symptom-${index}`, onmousedown: (e) => (e.preventDefault(), add(one)) },
      one.name,
      one.synonyms.length ? make("small", {}, one.synonyms.join(", ")) : null,
    ),
  );
  const none = make("li", { role: "option", "aria-disabled": "true" }, say("symptoms.none"));
  byId("symptom-list").replaceChildren(...(options.length ? options : [none]));
  byId("symptom-list").hidden = false;
  byId("symptom").setAttribute("aria-expanded", "true");
  move(options.length ? 0 : -1);
}

function close() {
  byId("symptom-list").hidden = true;
  byId("symptom").setAttribute("aria-expanded", "false");
  shown = [];
  move(-1);
}

function move(to) {
  active = to;
  byId("symptom-list")
    .querySelectorAll("li")
    .forEach((option, index) => option.setAttribute("aria-selected", String(index === active)));
  const input = byId("symptom");
  if (active < 0) input.removeAttribute("aria-activedescendant");
  else input.setAttribute("aria-activedescendant", `symptom-${active}`);
}

function onKey(event) {
  if (event.key === "Enter") {
    // Enter chooses; an empty field lets it send the form.
    if (event.target.value.trim()) event.preventDefault();
    if (shown[active]) add(shown[active]);
  } else if (event.key === "Escape") close();
  else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
    event.preventDefault();
    const step = event.key === "ArrowDown" ? 1 : -1;
    if (shown.length) move((active + step + shown.length) % shown.length);
  }
}

function add(symptom) {
  chosen.add(symptom.id);
  byId("symptom").value = "";
  close();
  draw();
  byId("announce").textContent = say("symptoms.added", { name: symptom.name });
}

function draw() {
  const chips = [...chosen].map((id) => {
    const name = symptomName(id);
    const remove = () => {
      chosen.delete(id);
      draw();
      byId("announce").textContent = say("symptoms.removed", { name });
      byId("symptom").focus();
    };
    const label = say("symptoms.remove", { name });
    const button = make("button", { type: "button", "aria-label": label, onclick: remove }, "×");
    return make("li", {}, name, button);
  });
  byId("chosen").replaceChildren(...chips);
}
