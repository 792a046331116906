// Choosing files: with the dialog, or by dropping them anywhere on the field.

import { byId, say } from "./dom.js";
import { allModalities, modalityOf } from "./catalogue.js";

const MEGABYTE = 1024 * 1024;
const RECORD = /\.(hea|dat)$/i;
const SHOWN = /^image\/(jpeg|png|webp|bmp|gif)$/;
let files = [];
let whenRecord = () => {};

/** Listen; `onRecord` is called when what was chosen can only be an ECG record. */
export function initFiles(onRecord) {
  const input = byId("file");
  const drop = byId("drop");
  whenRecord = onRecord;
  input.addEventListener("change", () => showFiles(input.files));
  drop.addEventListener("dragover", (event) => {
    event.preventDefault();
    drop.classList.add("over");
  });
  drop.addEventListener("dragleave", () => drop.classList.remove("over"));
  drop.addEventListener("drop", (event) => {
    event.preventDefault();
    drop.classList.remove("over");
    showFiles(event.dataTransfer.files);
  });
}

/** Take these files as the chosen ones. */
export function showFiles(list) {
  files = [...list];
  byId("file-chosen").textContent = files.length
    ? files.map((file) => file.name).join(", ")
    : say("files.none");
  preview(files.length === 1 && SHOWN.test(files[0].type) ? files[0] : null);
  if (isRecord()) whenRecord();
}

function preview(file) {
  const image = byId("file-preview");
  URL.revokeObjectURL(image.src);
  image.hidden = true;
  image.onload = () => (image.hidden = false);
  if (file) image.src = URL.createObjectURL(file);
  else image.removeAttribute("src");
}

/** Say what the modality takes; the empty id stands for an image of any kind. */
export function describeFiles(id) {
  const modality = modalityOf(id);
  const key = modality?.kind === "ecg" ? "files.ecg" : "files.image";
  byId("file-hint").textContent = say(key, { size: limitOf(id) / MEGABYTE });
  byId("file").accept = modality?.kind === "ecg" ? ".hea,.dat,.zip,image/*" : "image/*";
}

function limitOf(id) {
  const taken = id ? [modalityOf(id)] : allModalities().filter((one) => one.kind !== "table");
  return Math.max(...taken.map((one) => one?.limits.max_bytes ?? 0));
}

/** The question of the chosen files, or the fault as a text. */
export function askWithFiles(id) {
  const fault = faultOf(id);
  if (fault) return { fault };
  const body = new FormData();
  for (const file of files) body.append("file", file, file.name);
  const share = Number(byId("prevalence").value) / 100;
  const query = share > 0 && share < 1 ? `?prevalence=${share}` : "";
  return { body, query, name: files.map((file) => file.name).join(", "), isRecord: isRecord() };
}

function isRecord() {
  return files.some((file) => RECORD.test(file.name) || /\.zip$/i.test(file.name));
}

function faultOf(id) {
  if (!files.length) return say("files.missing");
  const halves = files.filter((file) => RECORD.test(file.name));
  if (halves.length === 1) return say("files.record");
  if (files.length > 1 && halves.length !== 2) return say("files.too_many");
  if (files.length > 2) return say("files.too_many");
  const size = limitOf(id);
  const total = files.reduce((sum, file) => sum + file.size, 0);
  return size && total > size ? say("files.too_large", { size: size / MEGABYTE }) : null;
}
