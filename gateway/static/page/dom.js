// Words of the catalogue, and elements made without HTML text: nothing is ever parsed as markup.

const words = JSON.parse(document.body.dataset.words);

/** The text of a key with its {names} filled in; undefined when there is none. */
export function find(key, values = {}) {
  return words[key]?.replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
}

/** The text of a key that exists. */
export function say(key, values) {
  return find(key, values) ?? key;
}

/** `some_name` as `Some name`, or the catalogue's word for it. */
export function plain(name, group = "choice") {
  const text = String(name).replaceAll("_", " ");
  return find(`${group}.${name}`) ?? text.charAt(0).toUpperCase() + text.slice(1);
}

/** An element; `on…` members are listeners, the others attributes (true: empty, false: none). */
export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value != null) element.setAttribute(name, value);
  }
  element.append(...children.filter((child) => child != null));
  return element;
}

/** A titled part of the answer; null without content, so that nothing empty is shown. */
export function part(title, ...children) {
  const content = children.filter((child) => child != null);
  if (!content.length) return null;
  return make("section", { class: "part" }, make("h3", {}, title), ...content);
}

/** A list of terms and what stands to them. */
export function pairs(entries) {
  const cells = entries.flatMap(([term, value]) => [make("dt", {}, term), make("dd", {}, value)]);
  return make("dl", {}, ...cells);
}

export function byId(id) {
  return document.getElementById(id);
}

/** Milliseconds as a person reads them. */
export function seconds(milliseconds) {
  if (milliseconds < 1000) return `${Math.max(1, Math.round(milliseconds))} ms`;
  return `${(milliseconds / 1000).toFixed(1)} s`;
}

export function percent(value) {
  const share = value * 100;
  if (share > 0 && share < 0.1) return "< 0.1 %";
  if (share < 100 && share > 99.9) return "> 99.9 %";
  return `${share.toFixed(1)} %`;
}
