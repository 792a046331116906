// Measurements, and what stands behind an answer: model, time, record.

import { find, make, pairs, part, plain, say } from "./dom.js";
import { factorName } from "./catalogue.js";
import { send } from "./api.js";
import { showProblem } from "./problem.js";

export function measurements({ modality, measurements: all }) {
  const known = Object.entries(all).filter(([, value]) => value != null && value !== "");
  const isQuality = ([name]) => name.startsWith("quality.");
  const plainOnes = known.filter((entry) => !isQuality(entry) && String(entry[1]) !== "");
  const quality = known.filter(isQuality);
  const shown = plainOnes.map(([name, value]) => [
    find(`measurement.${name}`) ?? plain(name),
    Array.isArray(value) ? value.map((one) => factorName(modality, one)).join(", ") : worded(name, value),
  ]);
  return part(
    say("measurements.title"),
    shown.length ? pairs(shown) : null,
    quality.length ? qualities(quality) : null,
  );
}

function worded(name, value) {
  return typeof value === "string" ? plain(value, `measurement.${name}`) : String(value);
}

function qualities(entries) {
  const rows = entries.map(([name, value]) => [plain(name.slice(8)), String(value)]);
  return make("details", {}, make("summary", {}, say("measurements.quality")), pairs(rows));
}

export function facts(prediction) {
  const { model, input, timing_ms: timing } = prediction;
  const card = make(
    "a",
    { href: `/v1/models/${prediction.modality}/card?format=html`, target: "_blank", rel: "noopener" },
    say("facts.card"),
  );
  const times = Object.entries(timing).map(([stage, spent]) => `${stage} ${spent.toFixed(1)}`);
  const rows = [
    [say("facts.model"), `${model.name}, version ${model.version} · `],
    [say("facts.sha"), model.sha256],
    [say("facts.input"), input.sha256],
    [say("facts.time"), times.join(", ")],
    [say("facts.request"), prediction.request_id],
  ];
  const list = pairs(rows);
  list.querySelector("dd").append(card);
  return part(say("facts.title"), list, prediction.prediction_id ? receipt(prediction) : null);
}

/** The receipt needs the key, so it is fetched and saved instead of linked. */
function receipt({ prediction_id: id }) {
  const box = make("div", {});
  const button = make("button", { type: "button", class: "second" }, say("facts.receipt"));
  button.addEventListener("click", async () => {
    try {
      const blob = await send("GET", `/v1/predictions/${id}/receipt`, { binary: true });
      const address = URL.createObjectURL(blob);
      make("a", { href: address, download: `receipt-${id}.json` }).click();
      setTimeout(() => URL.revokeObjectURL(address), 1000);
    } catch (error) {
      box.append(showProblem(error));
    }
  });
  box.append(button);
  return box;
}
