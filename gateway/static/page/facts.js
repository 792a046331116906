// What was measured on the input, and what stands behind an answer: model, time, record.

import { find, make, pairs, part, plain, say, seconds } from "./dom.js";
import { factorName } from "./catalogue.js";

/** The card of a modality's model, as a page. */
export function cardAddress(modality) {
  return `/v1/models/${modality}/card?format=html`;
}

/** What was measured on the input; null when nothing was. */
export function measurements({ modality, measurements: all }) {
  const known = Object.entries(all).filter(([, value]) => value != null && String(value) !== "");
  const isQuality = ([name]) => name.startsWith("quality.");
  const shown = known
    .filter((entry) => !isQuality(entry))
    .map(([name, value]) => [
      find(`measurement.${name}`) ?? plain(name),
      Array.isArray(value) ? value.map((one) => factorName(modality, one)).join(", ") : worded(name, value),
    ]);
  return part(say("measurements.title"), shown.length ? pairs(shown) : null);
}

function worded(name, value) {
  if (typeof value === "string") return plain(value, `measurement.${name}`);
  return typeof value === "number" ? String(Math.round(value * 1000) / 1000) : String(value);
}

/** One line in sight, the rest behind folds. */
export function facts(prediction, waited) {
  const { model, input, timing_ms: timing } = prediction;
  const spent = timing.service ?? timing.total;
  const line = [
    say(prediction.outcome === "rejected" ? "facts.checked" : "facts.by", { name: model.name, version: model.version }),
    spent == null ? null : say("facts.in", { time: seconds(spent) }),
    waited ? say("facts.waited", { time: seconds(waited) }) : null,
  ];
  const size = input.width ? `, ${input.width} × ${input.height}` : "";
  return part(
    say("facts.title"),
    make("p", {}, line.filter(Boolean).join(" ")),
    fold(say("facts.more"), [
      [say("facts.model"), `${model.name}, ${model.version}`],
      [say("facts.sha"), model.sha256],
      [say("facts.media"), `${input.media_type}${size}`],
      [say("facts.input"), input.sha256],
      [say("facts.request"), prediction.request_id],
    ]),
    fold(say("facts.time"), stages(timing)),
    fold(say("measurements.quality"), qualities(prediction)),
  );
}

function fold(title, rows) {
  if (!rows.length) return null;
  return make("details", {}, make("summary", {}, title), pairs(rows));
}

function stages(timing) {
  return Object.entries(timing).map(([stage, spent]) => [
    find(`stage.${stage}`) ?? plain(stage),
    `${spent.toFixed(1)} ms`,
  ]);
}

function qualities({ measurements: all }) {
  return Object.entries(all)
    .filter(([name, value]) => name.startsWith("quality.") && value != null)
    .map(([name, value]) => [find(`measurement.${name}`) ?? plain(name.slice(8)), worded(name, value)]);
}
