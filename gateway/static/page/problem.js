// A refusal as a person would want to read it; what the system said stands behind a fold.

import { byId, find, make, pairs, say } from "./dom.js";

/** The problem as an element; a missing key also opens the field for one. */
export function showProblem(error) {
  if (!error.problem) throw error;
  const { title, detail, field, code } = error.problem;
  if (code === "unauthorized") byId("key").hidden = false;
  const known = find(`problem.${code}.title`);
  return make(
    "div",
    { class: "problem" },
    make("h3", {}, known ?? title),
    known ? null : make("p", {}, detail),
    field ? make("p", {}, say("problem.field", { field })) : null,
    make("p", { class: "advice" }, error.advice),
    support(error.problem, known),
  );
}

function support({ title, detail, code, status, request_id: id }, known) {
  if (!id) return null;
  const rows = [
    [say("problem.code"), `${status} ${code}`],
    [say("problem.request"), id],
  ];
  if (known) rows.unshift([say("problem.said"), `${title}. ${detail}`]);
  return make("details", {}, make("summary", {}, say("problem.support")), pairs(rows));
}
