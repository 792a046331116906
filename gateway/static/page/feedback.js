// Saying whether an answer was right.

import { make, part, say } from "./dom.js";
import { labelName, modalityOf } from "./catalogue.js";
import { send } from "./api.js";
import { showProblem } from "./problem.js";

const CODES = [
  "missed_finding",
  "false_finding",
  "wrong_class",
  "image_quality",
  "artefact",
  "wrongly_rejected",
  "atypical_case",
  "reference_unclear",
  "other",
];

export function feedback(prediction) {
  if (!prediction.prediction_id) return null;
  const box = make("div", { "aria-live": "polite" });
  const tell = async (opinion) => {
    const path = `/v1/predictions/${prediction.prediction_id}/feedback`;
    try {
      await send("POST", path, { body: opinion });
      box.replaceChildren(make("p", {}, say("feedback.thanks")));
    } catch (error) {
      box.append(showProblem(error));
    }
  };
  const agree = make("button", { type: "button", class: "second" }, say("feedback.agree"));
  const disagree = make("button", { type: "button", class: "second" }, say("feedback.disagree"));
  agree.addEventListener("click", () => tell({ agree: true }));
  disagree.addEventListener("click", () => {
    box.replaceChildren(correction(prediction, tell));
    box.querySelector("select, input").focus();
  });
  box.append(make("div", { class: "row" }, agree, disagree));
  return part(say("feedback.title"), box);
}

function correction(prediction, tell) {
  const modality = modalityOf(prediction.modality);
  const right = modality.multiple_labels ? severalOf(modality) : oneOf(modality);
  const code = choose(
    say("feedback.code"),
    [["", say("feedback.code.none")], ...CODES.map((one) => [one, say(`feedback.${one}`)])],
  );
  const form = make(
    "form",
    { class: "correction", novalidate: true },
    right.element,
    code.element,
    make("button", { type: "submit" }, say("feedback.send")),
  );
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const opinion = { agree: false };
    if (right.value()) opinion.corrected_label = right.value();
    if (code.value()) opinion.comment_code = code.value();
    tell(opinion);
  });
  return form;
}

function choose(title, entries) {
  const options = entries.map(([value, text]) => make("option", { value }, text));
  const select = make("select", {}, ...options);
  return { element: make("label", {}, title, select), value: () => select.value };
}

function oneOf(modality) {
  const labels = modality.labels.map((one) => [one.code, one.name]);
  return choose(say("feedback.label"), [["", say("feedback.unknown")], ...labels]);
}

function severalOf(modality) {
  const boxes = modality.labels.map(({ code }) => make("input", { type: "checkbox", value: code }));
  const rows = boxes.map((box) =>
    make("label", { class: "check" }, box, labelName(modality.id, box.value)),
  );
  const element = make("fieldset", {}, make("legend", {}, say("feedback.label")), ...rows);
  const value = () => boxes.filter((box) => box.checked).map((box) => box.value).join(";");
  return { element, value };
}
