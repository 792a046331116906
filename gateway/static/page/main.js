// The page: choose, ask, show.

import { Refusal, send, useKey } from "./api.js";
import { drawAnswer, inWords } from "./answer.js";
import { loadCatalogue } from "./catalogue.js";
import { byId, say } from "./dom.js";
import { askWithFactors } from "./factors.js";
import { askWithFiles, describeFiles, initFiles } from "./files.js";
import { showProblem } from "./problem.js";
import { initRecent, remember } from "./recent.js";
import { initSamples, showSamples } from "./samples.js";
import { isDown, watchStatus } from "./status.js";
import { askWithSymptoms, initSymptoms } from "./symptoms.js";

let running = null;

function chosen() {
  return document.querySelector("input[name=modality]:checked");
}

function choose(id) {
  const radio = document.querySelector(`input[name=modality][value="${id}"]`);
  if (!radio) return;
  radio.checked = true;
  showPanel();
}

function showPanel() {
  const { value: id, dataset } = chosen();
  for (const one of document.querySelectorAll("[data-of]")) {
    one.hidden = one.dataset.of !== dataset.panel;
  }
  byId("kind-hint").textContent = dataset.hint;
  if (dataset.panel === "files") describeFiles(id);
  showSamples(id);
  showDown();
  showFault(null);
}

function showDown() {
  byId("kind-down").hidden = !isDown(chosen().value);
}

function questionOf(radio) {
  const { panel } = radio.dataset;
  if (panel === "files") return askWithFiles(radio.value);
  if (panel === "symptoms") return askWithSymptoms();
  return askWithFactors(document.querySelector(`[data-of="${panel}"]`));
}

function showFault(text) {
  byId("ask-fault").hidden = !text;
  byId("ask-fault").textContent = text ?? "";
}

function showProgress(share) {
  const bar = document.querySelector("#progress progress");
  const isSent = share >= 1;
  if (isSent) bar.removeAttribute("value");
  else bar.value = share * 100;
  byId("progress-text").textContent = isSent
    ? say("progress.answer")
    : say("progress.upload", { percent: Math.round(share * 100) });
}

function setBusy(isBusy) {
  byId("progress").hidden = !isBusy;
  byId("submit").disabled = isBusy;
  byId("cancel").hidden = !isBusy;
  byId("answer").setAttribute("aria-busy", String(isBusy));
}

async function ask() {
  const id = chosen().value;
  const question = questionOf(chosen());
  showFault(question.fault);
  if (question.fault) return void (question.field ?? byId("submit")).focus();
  running?.abort();
  const mine = (running = new AbortController());
  setBusy(true);
  showProgress(0);
  const path = id ? `/v1/${id}/predictions` : "/v1/analyze";
  const options = { body: question.body, progress: showProgress, signal: mine.signal };
  const start = performance.now();
  try {
    const prediction = await send("POST", path + question.query, options);
    question.waited = performance.now() - start;
    if (prediction) show(question, prediction);
  } catch (error) {
    fail(error);
  } finally {
    if (running === mine) setBusy(false);
    if (mine.signal.aborted) byId("submit").focus();
  }
}

function show(question, prediction) {
  byId("key").hidden = true;
  const reask = (id) => (choose(id), ask());
  drawAnswer(question, prediction, reask);
  remember(question, prediction, reask);
  finish(say("answer.arrived", { outcome: inWords(prediction) }));
}

function fail(error) {
  if (!(error instanceof Refusal)) throw error;
  byId("answer-body").replaceChildren(showProblem(error));
  finish(say("answer.failed", { title: error.problem.title }));
  if (!byId("key").hidden) byId("key-value").focus();
}

/** Announce what came, and show its top when it is out of sight. */
function finish(text) {
  setBusy(false); // first, because it moves what stands below the form
  const title = byId("answer-title");
  byId("announce").textContent = text;
  title.focus({ preventScroll: true });
  const { top } = title.getBoundingClientRect();
  if (top < 0 || top > innerHeight / 3) title.scrollIntoView({ block: "start" });
}

function cancel() {
  running?.abort();
  byId("announce").textContent = say("answer.cancelled");
  showFault(say("answer.cancelled"));
}

function listen() {
  byId("ask").addEventListener("submit", (event) => (event.preventDefault(), ask()));
  byId("cancel").addEventListener("click", cancel);
  byId("key").addEventListener("submit", (event) => {
    event.preventDefault();
    useKey(byId("key-value").value);
    ask();
  });
  for (const radio of document.querySelectorAll("input[name=modality]")) {
    radio.addEventListener("change", showPanel);
  }
  initFiles(() => choose("ecg"));
  initSymptoms();
  initRecent();
  initSamples(ask, fail);
}

listen();
loadCatalogue()
  .catch(fail)
  .finally(() => {
    showPanel();
    watchStatus(showDown);
    document.body.dataset.state = "ready";
  });
