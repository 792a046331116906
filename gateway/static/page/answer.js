// One answer, from the outcome to the record.

import { byId, make, part, percent, say } from "./dom.js";
import { labelName, modalityOf, symptomName, titleOf } from "./catalogue.js";
import { contributions, probabilities } from "./bars.js";
import { evidence } from "./evidence.js";
import { cardAddress, facts, measurements } from "./facts.js";
import { feedback } from "./feedback.js";
import { saveButton } from "./save.js";

/** Draw an answer; `reask` is called with the id of another modality. */
export function drawAnswer(question, prediction, reask) {
  const isWide = modalityOf(prediction.modality)?.kind === "ecg";
  const bars = [probabilities(prediction), contributions(prediction, towards(prediction))];
  const shown = evidence(question, prediction);
  const parts = [
    verdict(question, prediction),
    reasons(say("answer.reasons"), prediction.reasons, reask),
    decide(prediction, reask),
    triage(prediction),
    reasons(say("answer.warnings"), [...prediction.warnings, ...unknown(prediction)], reask),
    actions(question, prediction),
    isWide ? shown : null,
    columns(isWide ? null : shown, ...bars),
    measurements(prediction),
    facts(prediction, question.waited),
    feedback(prediction),
    make("p", { class: "notice" }, prediction.notice),
  ];
  byId("answer-body").replaceChildren(...parts.filter(Boolean));
}

/** An answer in a few words. */
export function inWords(prediction) {
  const { modality, outcome, label } = prediction;
  return several(prediction) ?? (label ? labelName(modality, label) : say(`outcome.${outcome}`));
}

/** The findings of an answer with more than one, else null. */
function several({ outcome, findings }) {
  const positive = findings.filter((one) => one.positive).map((one) => one.name);
  return positive.length > 1 && outcome === "accepted" ? positive.join(" · ") : null;
}

function columns(...parts) {
  const found = parts.filter(Boolean);
  return found.length ? make("div", { class: "columns" }, ...found) : null;
}

function verdict(question, prediction) {
  const { modality, outcome, label, probabilities: all } = prediction;
  const findings = several(prediction);
  const isScored = label && !findings && label in all;
  const words = [
    make("p", { class: "outcome" }, say(`outcome.${outcome}`)),
    label ? make("p", { class: "label" }, findings ?? labelName(modality, label)) : null,
    outcome === "accepted" ? null : make("p", {}, say(`outcome.${outcome}.text`)),
  ];
  const score = [percent(all[label]), make("small", {}, say("probabilities.one"))];
  return make(
    "div",
    { class: `verdict ${outcome}` },
    make("p", { class: "quiet" }, [titleOf(modality), question.name].filter(Boolean).join(" · ")),
    make("div", {}, ...words),
    isScored ? make("p", { class: "score" }, ...score) : null,
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

/** A refused picture of which the service does not know what it is: let the system find out. */
function decide({ modality, outcome, reasons: all }, reask) {
  const isPicture = modalityOf(modality)?.kind !== "table";
  if (outcome !== "rejected" || !isPicture || all.some((one) => one.looks_like)) return null;
  const ask = () => reask("");
  return make(
    "p",
    { class: "decide" },
    make("button", { type: "button", class: "second", onclick: ask }, say("answer.decide")),
  );
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
  return make(
    "section",
    { class: `triage ${found.band}` },
    make("h3", {}, say("triage.title")),
    make("p", { class: "band" }, say("triage.band", { band: say(`triage.${found.band}`) })),
    make("p", { class: "step" }, found.next_step),
    make("p", {}, make("b", {}, `${say("triage.timeline")}: `), found.timeline),
    set.length > 1 ? make("p", { class: "quiet" }, say("triage.set")) : null,
    make("p", { class: "quiet" }, `${say("triage.source")}: ${found.source}`),
  );
}

/** What to keep of an answer: the report, the receipt, the card. */
function actions({ body, query }, { modality, prediction_id: id }) {
  const faults = make("div", { "aria-live": "polite" });
  const report = {
    method: "POST",
    path: `/v1/${modality}/reports${query}${query ? "&" : "?"}format=pdf`,
    body,
    name: `${modality}-report.pdf`,
    faults,
  };
  const receipt = {
    method: "GET",
    path: `/v1/predictions/${id}/receipt`,
    name: `receipt-${id}.json`,
    faults,
  };
  const card = { class: "button", href: cardAddress(modality), target: "_blank", rel: "noopener" };
  return make(
    "div",
    { class: "actions" },
    make(
      "div",
      { class: "row" },
      saveButton(say("report.save"), report),
      id ? saveButton(say("facts.receipt"), receipt) : null,
      make("a", card, say("facts.card")),
    ),
    faults,
  );
}

/** Contributions point to the second label of two, and to the leading one of several. */
function towards({ probabilities: all }) {
  const codes = Object.keys(all);
  if (codes.length === 2) return codes[1];
  return codes.sort((a, b) => all[b] - all[a])[0];
}
