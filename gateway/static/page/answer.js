// One answer, from the outcome to the record.

import { byId, make, part, say } from "./dom.js";
import { labelName, symptomName, titleOf } from "./catalogue.js";
import { contributions, probabilities } from "./bars.js";
import { evidence } from "./evidence.js";
import { facts, measurements } from "./facts.js";
import { feedback } from "./feedback.js";

/** Draw an answer; `reask` is called with the id of another modality. */
export function drawAnswer(question, prediction, reask) {
  const parts = [
    headline(question, prediction),
    reasons(say("answer.reasons"), prediction.reasons, reask),
    triage(prediction),
    reasons(say("answer.warnings"), [...prediction.warnings, ...unknown(prediction)], reask),
    probabilities(prediction),
    contributions(prediction, towards(prediction)),
    evidence(question, prediction),
    measurements(prediction),
    facts(prediction),
    feedback(prediction),
    make("p", { class: "notice" }, prediction.notice),
  ];
  byId("answer-body").replaceChildren(...parts.filter(Boolean));
}

/** An answer in a few words. */
export function inWords({ modality, outcome, label }) {
  return label ? labelName(modality, label) : say(`outcome.${outcome}`);
}

function headline(question, prediction) {
  const { modality, outcome, label, findings } = prediction;
  const positive = findings.filter((one) => one.positive).map((one) => one.name);
  const several = positive.length > 1 && outcome === "accepted" ? positive.join(" · ") : null;
  const more = outcome === "accepted" ? null : say(`outcome.${outcome}.text`);
  return make(
    "div",
    { class: `headline ${outcome}` },
    make("p", { class: "quiet" }, [titleOf(modality), question.name].filter(Boolean).join(" · ")),
    make("p", { class: "outcome" }, say(`outcome.${outcome}`)),
    label ? make("p", { class: "label" }, several ?? labelName(modality, label)) : null,
    more ? make("p", {}, more) : null,
  );
}

function reasons(title, all, reask) {
  if (!all.length) return null;
  return part(title, make("ul", {}, ...all.map((one) => reason(one, reask))));
}

function reason({ message, looks_like: kind }, reask) {
  const item = make("li", {}, message);
  if (kind && reask) {
    const ask = () => reask(kind);
    const text = say("answer.reask", { title: titleOf(kind) });
    item.append(" ", make("button", { type: "button", class: "second", onclick: ask }, text));
  }
  return item;
}

function unknown({ symptoms_unrecognised: all }) {
  return all.map(({ position, suggestions }) => {
    const key = suggestions.length ? "answer.unrecognised" : "answer.unrecognised.none";
    const names = suggestions.map(symptomName).join(", ");
    return { message: say(key, { position: position + 1, names }) };
  });
}

function triage({ triage: found, prediction_set: set }) {
  if (!found) return null;
  const band = say("triage.band", { band: say(`triage.${found.band}`) });
  return part(
    say("triage.title"),
    make("p", { class: `band ${found.band}` }, band),
    make("p", { class: "step" }, found.next_step),
    make("p", {}, make("b", {}, `${say("triage.timeline")}: `), found.timeline),
    set.length > 1 ? make("p", { class: "quiet" }, say("triage.set")) : null,
    make("p", { class: "quiet" }, `${say("triage.source")}: ${found.source}`),
  );
}

/** Contributions point to the second label of two, and to the leading one of several. */
function towards({ modality, probabilities: all }) {
  const codes = Object.keys(all);
  if (codes.length === 2) return codes[1];
  return codes.sort((a, b) => all[b] - all[a])[0];
}
