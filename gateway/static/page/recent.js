// The answers of this tab, newest first, in memory only.

import { byId, make } from "./dom.js";
import { titleOf } from "./catalogue.js";
import { drawAnswer, inWords } from "./answer.js";

const MOST = 10;
let cases = [];
let empty = null;

export function initRecent() {
  empty = byId("recent").firstElementChild;
  byId("recent-clear").addEventListener("click", () => {
    cases = [];
    draw();
  });
}

export function remember(question, prediction, reask) {
  cases = [{ question, prediction, reask, time: new Date() }, ...cases].slice(0, MOST);
  draw();
}

function draw() {
  byId("recent-clear").hidden = !cases.length;
  byId("recent").replaceChildren(...(cases.length ? cases.map(entry) : [empty]));
}

function entry({ question, prediction, reask, time }) {
  const open = () => {
    drawAnswer(question, prediction, reask);
    byId("answer-title").focus();
  };
  const at = time.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
  const text = `${titleOf(prediction.modality)}: ${inWords(prediction)}`;
  return make(
    "li",
    {},
    make("button", { type: "button", class: "link", onclick: open }, text),
    make("small", {}, [at, question.name].filter(Boolean).join(" · ")),
  );
}
