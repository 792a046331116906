// Requests to the gateway. The API key lives in this variable and nowhere else.

import { find, say } from "./dom.js";

let key = "";

export function useKey(value) {
  key = value.trim();
}

/** A refusal: the problem document, and what to do about it. */
export class Refusal extends Error {
  constructor(problem, seconds) {
    super(problem.title);
    this.problem = problem;
    this.advice = advise(problem, seconds);
  }
}

function advise(problem, seconds) {
  const known = find(`advice.${problem.code}`);
  if (known) return known;
  if (seconds) return say("advice.wait", { seconds });
  return say(problem.retryable ? "advice.retry" : "advice.other");
}

/**
 * Send a request; `body` is FormData, an object for JSON, or nothing.
 * Resolves to the JSON, or to a Blob with `binary`; null when `signal` ended it.
 */
export function send(method, path, { body, binary, progress, signal } = {}) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open(method, path);
    request.responseType = "blob";
    if (key) request.setRequestHeader("X-API-Key", key);
    request.upload.onprogress = (event) => progress?.(event.loaded / event.total);
    request.upload.onload = () => progress?.(1);
    request.onerror = () => reject(unreachable());
    request.onabort = () => resolve(null);
    request.onload = () => read(request, binary).then(resolve, reject);
    signal?.addEventListener("abort", () => request.abort());
    const isForm = body instanceof FormData;
    if (body && !isForm) request.setRequestHeader("Content-Type", "application/json");
    request.send(body && !isForm ? JSON.stringify(body) : body);
  });
}

async function read(request, binary) {
  const good = request.status >= 200 && request.status < 300;
  if (good && binary) return request.response;
  let document;
  try {
    document = JSON.parse(await request.response.text());
  } catch {
    throw unreadable();
  }
  if (good) return document;
  throw new Refusal(document, Number(request.getResponseHeader("Retry-After")) || 0);
}

function unreachable() {
  return new Refusal({
    title: say("problem.unreachable.title"),
    detail: say("problem.unreachable.detail"),
    code: "network",
  });
}

function unreadable() {
  return new Refusal({
    title: say("problem.unreadable.title"),
    detail: say("problem.unreadable.detail"),
    code: "unreadable",
    retryable: true,
  });
}
