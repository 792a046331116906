// Samples to try with one click: fetched from the gateway, then asked like anything else.

import { send } from "./api.js";
import { showFiles } from "./files.js";
import { fillFactors } from "./factors.js";
import { chooseSymptoms } from "./symptoms.js";

/** Listen; `ask` is called when a sample stands in the form, `fail` with what went wrong. */
export function initSamples(ask, fail) {
  for (const button of document.querySelectorAll("[data-sample]")) {
    button.addEventListener("click", () => put(button.dataset).then(ask, fail));
  }
}

/** Show the samples of one modality. */
export function showSamples(id) {
  for (const one of document.querySelectorAll("[data-samples]")) {
    one.hidden = one.dataset.samples !== id;
  }
}

async function put({ sample, files: names }) {
  const fetched = names.split(" ").map((name) => send("GET", `/ui/samples/${name}`, { binary: true }));
  const blobs = await Promise.all(fetched);
  if (!names.endsWith(".json")) {
    const named = names.split(" ").map((name) => name.split("/").pop());
    return showFiles(blobs.map((blob, index) => new File([blob], named[index], { type: blob.type })));
  }
  const values = JSON.parse(await blobs[0].text());
  if (values.symptoms) chooseSymptoms(values.symptoms);
  else fillFactors(document.querySelector(`[data-of="table-${sample}"]`), values);
}
