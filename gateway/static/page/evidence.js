// The picture as the system sees it, and the influence map over it.

import { make, part, say } from "./dom.js";
import { labelName, modalityOf } from "./catalogue.js";
import { send } from "./api.js";
import { showProblem } from "./problem.js";

/** Picture and evidence of a case; null for tables, whose contributions stand in the answer. */
export function evidence(question, prediction) {
  const modality = modalityOf(prediction.modality);
  if (!modality || modality.kind === "table") return null;
  const picture = make("figure", { class: "picture" }, make("p", {}, say("evidence.waiting")));
  const more = make("div", { "aria-live": "polite" });
  drawPicture(question, prediction, picture);
  const explain = make(
    "button",
    { type: "button", class: "second" },
    say("evidence.explain"),
  );
  explain.addEventListener("click", async () => {
    explain.disabled = true;
    more.replaceChildren(make("p", { class: "quiet" }, say("evidence.waiting")));
    const found = await explanation(question, prediction, picture);
    more.replaceChildren(...found.elements);
    explain.hidden = found.done;
    explain.disabled = false;
  });
  const isScored = prediction.outcome !== "rejected";
  return part(say("evidence.title"), picture, isScored ? explain : null, more);
}

async function drawPicture(question, prediction, figure) {
  try {
    const path = `/v1/${prediction.modality}/renderings`;
    const blob = await send("POST", path, { body: question.body, binary: true });
    const address = URL.createObjectURL(blob);
    const image = make("img", { src: address, alt: say("evidence.picture") });
    image.addEventListener("load", () => URL.revokeObjectURL(address));
    const frame = make("div", { class: "frame" }, image);
    figure.replaceChildren(frame, make("figcaption", {}, say("evidence.picture")));
  } catch (error) {
    figure.replaceChildren(showProblem(error));
  }
}

async function explanation(question, prediction, figure) {
  try {
    const path = `/v1/${prediction.modality}/explanations${question.query}`;
    const found = await send("POST", path, { body: question.body });
    return { done: true, elements: shownMap(found, question, prediction, figure) };
  } catch (error) {
    return { done: false, elements: [showProblem(error)] };
  }
}

function shownMap(found, question, prediction, figure) {
  if (!found.overlay_png_base64) {
    const failed = found.checks.passed === false;
    const reason = failed ? say("evidence.failed") : found.withheld_reason ?? "";
    return [make("p", {}, say("evidence.withheld", { reason }))];
  }
  const map = make("img", {
    class: "map",
    src: `data:image/png;base64,${found.overlay_png_base64}`,
    alt: say("evidence.overlay"),
  });
  const elements = [];
  const frame = figure.querySelector(".frame");
  if (frame && !question.isRecord) {
    // The map covers what the model saw: the whole picture, or the square in its middle.
    map.classList.add(fitOf(prediction.modality));
    frame.append(map);
    elements.push(slider(map));
  } else elements.push(make("figure", { class: "picture" }, map));
  if (found.target) {
    const name = labelName(prediction.modality, found.target);
    elements.push(make("p", {}, say("evidence.target", { name })));
  }
  elements.push(make("p", { class: "quiet" }, say("evidence.caution")));
  return elements;
}

function fitOf(id) {
  return document.querySelector(`input[name=modality][value="${id}"]`)?.dataset.fit ?? "squash";
}

function slider(map) {
  const input = make("input", { type: "range", min: 0, max: 100, value: 70, class: "opacity" });
  const set = () => (map.style.opacity = input.value / 100);
  input.addEventListener("input", set);
  set();
  return make("label", { class: "opacity" }, say("evidence.opacity"), input);
}
