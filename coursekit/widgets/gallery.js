// What pages beside a kernel share: parts that are made anew when what they show has changed, and small pictures
// that are asked for when they come into sight.
import { element } from "./drawing.js";

/** How such a page looks: quiet, in the colours of the notebook around it. */
export const SHEET = `
  & { max-width: 60rem; }
  & ul, & ol { margin: 0; padding: 0; list-style: none; }
  & h3 { margin: 0 0 0.5rem; font-size: 1.15em; font-weight: 650; }
  & h4 { margin: 1rem 0 0.3rem; font-size: 1em; font-weight: 650; }
  & h3:focus-visible { outline-offset: 4px; }
  & p { margin: 0.4em 0; }
  & a { color: inherit; }
  & [hidden] { display: none !important; }
  & select { max-width: 100%; }
  & select, & input[type="text"], & input[type="number"] { box-sizing: border-box; min-height: 2.2em; padding: 0.25em 0.5em;
    font: inherit; color: inherit; background: var(--jp-layout-color1, var(--paper, canvas)); border: 1px solid currentcolor;
    border-radius: 0.3em; }
  & button { min-height: 2.2em; padding: 0.35em 0.9em; }
  & button.main { color: #fff; background: #00578a; border-color: #00578a; }
  & button.link { padding: 0.15em 0.5em; text-decoration: underline; border-color: transparent; }
  & .quiet { opacity: 0.8; font-size: 0.92em; }
  & .warn { padding-left: 0.7em; border-left: 4px solid var(--orange, #d55e00); }
  & .stop { padding: 0.5em 0.7em; border: 2px solid var(--orange, #d55e00); border-radius: 0.3em; }
  & .row { display: flex; flex-wrap: wrap; gap: 0.5rem 1rem; align-items: end; }
  & .row > label { display: block; min-height: 0; min-width: 0; max-width: 100%; }
  & .row > label > span { display: block; }
  & img { display: block; object-fit: cover; background: color-mix(in srgb, currentcolor 10%, transparent); }
  & table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
  & th { padding: 0.2em 0.5em; font-weight: 500; text-align: right; }
  & td { padding: 0; text-align: center; }
  & summary { min-height: 1.6em; cursor: pointer; }
  & pre { max-height: 24em; padding: 0.7em; overflow: auto; font-size: 0.92em; border: 1px solid color-mix(in srgb, currentcolor 30%, transparent); }`;

const seenBefore = new WeakMap();

/** Fill a part of the page anew if what it shows is another; who stood in it with the keyboard stays there. */
export function renew(box, seen, make) {
  const now = JSON.stringify(seen) || "";
  if (seenBefore.get(box) === now) return;
  seenBefore.set(box, now);
  const here = box.getRootNode().activeElement;
  const name = box.contains(here) ? here.dataset.key : undefined;
  box.replaceChildren(...make(seen));
  if (name) [...box.querySelectorAll("[data-key]")].find((one) => one.dataset.key === name)?.focus();
}

/** An element that can be found again when the part around it is made anew. */
export function keyed(key, made) {
  made.dataset.key = key;
  return made;
}

/** A choice among a few, with its label above; `choices` are pairs of value and text. */
export function selection(label, choices, value, changed) {
  const input = element("select", { ariaLabel: label }, ...choices.map(([one, text]) => element("option", { value: one, textContent: text })));
  input.value = value;
  input.addEventListener("change", () => changed(input.value));
  return { input, row: element("label", {}, element("span", { textContent: label }), keyed(label, input)) };
}

/** Small pictures from the kernel: `image` gives an element that is filled as soon as the picture is there.
 *  A name may come to mean another picture: with another `from`, all are asked for anew. */
export function pictures(model) {
  const [known, waiting, asked] = [new Map(), new Map(), new Set()];
  const forget = () => {
    known.forEach((address) => URL.revokeObjectURL(address));
    [known, waiting, asked].forEach((one) => one.clear());
  };
  const ask = () => {
    const names = [...waiting.keys()].filter((name) => !asked.has(name));
    names.forEach((name) => asked.add(name));
    if (names.length) model.send({ do: "pictures", names });
  };
  const take = (message, buffers) => (message.pictures || []).forEach((name, number) => {
    if (known.has(name)) URL.revokeObjectURL(known.get(name));
    known.set(name, URL.createObjectURL(new Blob([buffers[number]], { type: "image/jpeg" })));
    (waiting.get(name) || []).forEach((image) => { image.src = known.get(name); });
    waiting.delete(name);
  });
  model.on("msg:custom", take);
  return {
    from: "",
    are(from) {
      if (this.from !== from) forget();
      this.from = from;
    },
    image(name, alt, size) {
      const made = element("img", { alt, width: size, height: size });
      if (known.has(name)) made.src = known.get(name);
      else {
        waiting.set(name, [...(waiting.get(name) || []), made]);
        queueMicrotask(ask);
      }
      return made;
    },
    close() {
      model.off("msg:custom", take);
      forget();
    },
  };
}

/** So many of something, in words. */
export const counted = (count, one, more = `${one}s`) => `${count} ${count === 1 ? one : more}`;

/** A share in percent. */
export const percent = (share) => `${Math.round(100 * share)}\u00a0%`;

/** What keeps JupyterLab from taking keys that are meant for the page: D twice would delete the cell. */
export function ownKeys(el) {
  el.dataset.lmSuppressShortcuts = "true";
}
