// A refusal as a person would want to read it.

import { byId, make, say } from "./dom.js";

/** The problem as an element; a missing key also opens the field for one. */
export function showProblem(error) {
  if (!error.problem) throw error;
  const { title, detail, field, code, request_id: id } = error.problem;
  if (code === "unauthorized") byId("key").hidden = false;
  return make(
    "div",
    { class: "problem" },
    make("h3", {}, title),
    make("p", {}, detail),
    field ? make("p", {}, say("problem.field", { field })) : null,
    make("p", { class: "advice" }, error.advice),
    id ? make("p", { class: "quiet" }, say("problem.request", { id })) : null,
  );
}
