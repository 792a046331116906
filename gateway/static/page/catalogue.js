// What the gateway offers: modalities with their labels and columns, and the symptoms.

import { plain } from "./dom.js";
import { send } from "./api.js";

const modalities = new Map();
const symptoms = new Map();

/** Fetch both lists; the symptoms only where a modality takes them. */
export async function loadCatalogue() {
  const found = await send("GET", "/v1/modalities");
  for (const modality of found.modalities) modalities.set(modality.id, modality);
  if (!document.querySelector("[data-panel=symptoms]")) return;
  for (const symptom of (await send("GET", "/v1/symptoms")).symptoms) {
    symptoms.set(symptom.id, symptom);
  }
}

export function modalityOf(id) {
  return modalities.get(id);
}

export function allModalities() {
  return [...modalities.values()];
}

export function titleOf(id) {
  return modalities.get(id)?.title ?? id;
}

export function allSymptoms() {
  return [...symptoms.values()];
}

export function symptomName(id) {
  return symptoms.get(id)?.name ?? plain(id);
}

/** The display name of a label of a modality. */
export function labelName(modality, code) {
  const label = modalities.get(modality)?.labels.find((one) => one.code === code);
  return label?.name ?? code;
}

/** The display name of a factor: a column's title or a symptom's name. */
export function factorName(modality, name) {
  const column = modalities.get(modality)?.columns.find((one) => one.name === name);
  return column?.title ?? symptomName(name);
}
