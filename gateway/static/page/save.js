// Saving what came over the API: it needs the key, so it is fetched instead of linked.

import { make } from "./dom.js";
import { send } from "./api.js";
import { showProblem } from "./problem.js";

/** A button that fetches a file and saves it as `name`; a fault is shown in `faults`. */
export function saveButton(text, { method, path, body, name, faults }) {
  const button = make("button", { type: "button", class: "second" }, text);
  button.addEventListener("click", async () => {
    button.disabled = true;
    faults.replaceChildren();
    try {
      save(await send(method, path, { body, binary: true }), name);
    } catch (error) {
      faults.replaceChildren(showProblem(error));
    } finally {
      button.disabled = false;
    }
  });
  return button;
}

function save(blob, name) {
  const address = URL.createObjectURL(blob);
  make("a", { href: address, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(address), 1000);
}
