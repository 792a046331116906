// Bars: calibrated probabilities with their thresholds, and contributions to both sides.

import { make, part, percent, say } from "./dom.js";
import { factorName, labelName } from "./catalogue.js";
import { shown } from "./factors.js";

const MOST = 6;

export function probabilities(prediction) {
  const names = Object.keys(prediction.probabilities);
  if (!names.length) return null;
  const findings = new Map(prediction.findings.map((one) => [one.label, one]));
  const held = new Set(prediction.prediction_set);
  const sorted = names.sort((a, b) => prediction.probabilities[b] - prediction.probabilities[a]);
  const rows = sorted.map((code) => row(prediction, code, findings.get(code), held.has(code)));
  const rest = rows.splice(rows.length > MOST + 1 ? MOST - 1 : rows.length);
  return part(
    say("probabilities.title"),
    make("ul", { class: "bars" }, ...rows),
    rest.length ? more(rest, sorted.length) : null,
    ...notes(prediction, held),
  );
}

function more(rows, count) {
  const title = say("probabilities.more", { count });
  return make("details", {}, make("summary", {}, title), make("ul", { class: "bars" }, ...rows));
}

function row(prediction, code, finding, isHeld) {
  const value = prediction.probabilities[code];
  return make(
    "li",
    { class: isHeld || finding?.positive ? "held" : "" },
    make("span", { class: "name" }, labelName(prediction.modality, code)),
    make("span", { class: "value" }, percent(value)),
    bar(value, finding?.threshold),
    marks(finding, isHeld),
  );
}

function marks(finding, isHeld) {
  const isLimited = finding?.threshold > 0 && finding.threshold < 1;
  const threshold = isLimited ? percent(finding.threshold) : "";
  const found = [
    finding?.positive
      ? make("span", { class: "mark strong" }, say("probabilities.positive", { threshold }))
      : null,
    isLimited && !finding.positive
      ? make("small", {}, say("probabilities.threshold", { threshold }))
      : null,
    isHeld ? make("span", { class: "mark" }, say("probabilities.set")) : null,
  ].filter(Boolean);
  return found.length ? make("span", { class: "marks" }, ...found) : null;
}

function bar(value, threshold) {
  const fill = make("span", { class: "fill" });
  fill.style.width = `${value * 100}%`;
  const children = [fill];
  if (threshold > 0 && threshold < 1) {
    const line = make("span", { class: "threshold" });
    line.style.left = `${threshold * 100}%`;
    children.push(line);
  }
  return make("span", { class: "bar", "aria-hidden": "true" }, ...children);
}

function notes(prediction, held) {
  const { modality, findings, derived, post_test: after } = prediction;
  const texts = Object.entries(derived).map(([name, value]) =>
    say("probabilities.derived", {
      name: name.replaceAll("_", " "),
      probability: percent(value),
    }),
  );
  for (const one of after) {
    texts.push(
      say("probabilities.post_test", {
        name: labelName(modality, one.label),
        prevalence: percent(one.prevalence),
        probability: percent(one.probability),
        ratio: one.likelihood_ratio.toPrecision(2),
      }),
    );
  }
  if (findings.length) texts.push(say("probabilities.thresholds"));
  if (held.size) texts.push(say("probabilities.set.text"));
  return texts.map((text) => make("p", { class: "quiet" }, text));
}

export function contributions({ modality, contributions: all }, target) {
  if (!all.length) return null;
  const largest = Math.max(...all.map((one) => Math.abs(one.contribution)), 1e-9);
  const rows = all.map((one) => {
    const value = shown(one.value, one.unit);
    const sum = `${one.contribution >= 0 ? "+" : "−"}${Math.abs(one.contribution).toFixed(2)}`;
    return make(
      "li",
      {},
      make("span", { class: "name" }, factorName(modality, one.name), make("small", {}, value)),
      make("span", { class: "value" }, sum),
      swing(one.contribution / largest),
    );
  });
  const text = target
    ? say("contributions.text", { target: labelName(modality, target) })
    : say("contributions.text.plain");
  return part(
    say("contributions.title"),
    make("p", { class: "quiet" }, text),
    make("ul", { class: "bars" }, ...rows),
  );
}

function swing(share) {
  const fill = make("span", { class: share < 0 ? "fill against" : "fill towards" });
  fill.style.width = `${Math.abs(share) * 50}%`;
  fill.style[share < 0 ? "right" : "left"] = "50%";
  return make("span", { class: "bar middle", "aria-hidden": "true" }, fill);
}
