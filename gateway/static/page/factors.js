// A table's form: values with their ranges, checked here so that a fault stands by its field.

import { plain, say } from "./dom.js";

/** The question of a filled form, or the first faulty field with the fault as a text. */
export function askWithFactors(panel) {
  const body = {};
  let first = null;
  for (const field of panel.querySelectorAll("[data-column]")) {
    const fault = faultOf(field);
    mark(field, fault);
    if (fault) first ??= field;
    else if (field.value !== "") body[field.dataset.column] = valueOf(field);
  }
  if (first) {
    first.closest("details")?.setAttribute("open", "");
    const label = first.labels[0].firstChild.textContent.trim();
    return { fault: `${label}: ${faultOf(first)}`, field: first };
  }
  return { body, query: "", name: "" };
}

/** Put values into a form; fields that are not named become empty. */
export function fillFactors(panel, values) {
  for (const field of panel.querySelectorAll("[data-column]")) {
    field.value = String(values[field.dataset.column] ?? "");
  }
}

function valueOf({ dataset, value }) {
  if (dataset.kind === "flag") return value === "true";
  return dataset.kind === "choice" ? value : Number(value);
}

function faultOf(field) {
  const { validity, min, max } = field;
  const range = { minimum: min, maximum: max };
  if (validity.badInput || validity.rangeUnderflow || validity.rangeOverflow) {
    return say("table.out_of_range", range);
  }
  if (validity.stepMismatch) return say("table.whole", range);
  return validity.valueMissing ? say("table.missing") : null;
}

function mark(field, fault) {
  field.setAttribute("aria-invalid", String(Boolean(fault)));
  const hint = document.getElementById(field.getAttribute("aria-describedby"));
  hint.dataset.plain ??= hint.textContent;
  hint.textContent = fault ?? hint.dataset.plain;
  hint.classList.toggle("fault", Boolean(fault));
}

/** A value as an answer shows it. */
export function shown(value, unit) {
  if (value == null) return say("contributions.missing");
  if (value === "present") return "";
  return `${typeof value === "string" ? plain(value) : value} ${unit}`.trim();
}
