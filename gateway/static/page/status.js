// Which services are ready, asked again while the page is seen.

import { byId, make, say } from "./dom.js";
import { send } from "./api.js";
import { titleOf } from "./catalogue.js";

const EACH_MS = 15000;

export function watchStatus() {
  refresh();
  setInterval(() => document.visibilityState === "visible" && refresh(), EACH_MS);
}

async function refresh() {
  try {
    const { modalities } = await send("GET", "/health");
    byId("status").replaceChildren(...Object.entries(modalities).map(row));
  } catch {
    byId("status").replaceChildren(make("li", { class: "fault" }, say("status.unreachable")));
  }
}

function row([id, { ready, breaker }]) {
  const state = breaker === "open" ? "open" : ready ? "ready" : "not_ready";
  return make(
    "li",
    { class: `service ${state}` },
    make("span", {}, titleOf(id)),
    make("span", { class: "state" }, say(`status.${state}`)),
  );
}
