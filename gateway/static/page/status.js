// Which services are ready, asked again while the page is seen.

import { byId, make, say } from "./dom.js";
import { send } from "./api.js";
import { titleOf } from "./catalogue.js";

const EACH_MS = 15000;
let states = {};

/** Keep the panel fresh; `changed` is called after each look. */
export function watchStatus(changed) {
  const look = () => refresh().then(changed);
  look();
  setInterval(() => document.visibilityState === "visible" && look(), EACH_MS);
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState === "visible") look();
  });
}

/** True when the service of a modality is known not to answer. */
export function isDown(id) {
  return id in states && stateOf(states[id]) !== "ready";
}

async function refresh() {
  try {
    states = (await send("GET", "/health")).modalities;
    const rows = Object.entries(states);
    const ready = rows.filter(([, state]) => stateOf(state) === "ready").length;
    byId("status").replaceChildren(...rows.map(row));
    summarise(say("status.count", { ready, all: rows.length }), ready === rows.length);
  } catch {
    byId("status").replaceChildren(make("li", { class: "fault" }, say("status.unreachable")));
    summarise(say("status.unreachable"), false);
  }
}

function summarise(text, isWell) {
  byId("health").textContent = text;
  byId("health").className = isWell ? "ready" : "not_ready";
}

function stateOf({ ready, breaker }) {
  return breaker === "open" ? "open" : ready ? "ready" : "not_ready";
}

function row([id, found]) {
  const state = stateOf(found);
  return make(
    "li",
    { class: `service ${state}` },
    make("span", {}, titleOf(id)),
    make("span", { class: "state" }, say(`status.${state}`)),
  );
}
