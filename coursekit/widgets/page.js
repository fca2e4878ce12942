// Where no kernel is: opens all widgets of a kind that stand on a page, each with a model of its own that holds
// what is written beside it. A page may run this as often as it likes; what is open stays as it is.

import { near } from "./bytes.js";

const SIGNS = ["keydown", "pointermove", "pointerdown", "scroll"];
const QUIET = 10_000;

export function whenIdle(call) {
  (window.requestIdleCallback ?? setTimeout)(call);
}

/** What the kernel's model does, for a page alone. */
function modelOf(el) {
  const values = { data: JSON.parse(el.querySelector("script").textContent), state: {} };
  const listeners = new Set();
  return {
    get: (name) => values[name],
    set(name, value) {
      values[name] = value;
      listeners.forEach((one) => { if (one.event === `change:${name}`) one.call(); });
    },
    save_changes() {},
    on: (event, call) => { listeners.add({ event, call }); },
    off: (event, call) => listeners.forEach((one) => {
      if (one.event === event && (!call || one.call === call)) listeners.delete(one);
    }),
  };
}

/**
 * Opens all at once; where the page came on a slow line, what somebody comes near to, and all else at the first sign
 * of anybody: a key, a pointer, a touch. Not all who read give one: what reads aloud finds everything after some
 * seconds in which there was nothing else to do.
 */
export function openInTime(elements, open) {
  if (document.documentElement.dataset.rest !== "later") {
    elements.forEach(open);
    return;
  }
  const waiting = new Set(elements);
  const openOne = (el) => { if (waiting.delete(el)) open(el); };
  for (const el of waiting) near(el).then(() => openOne(el));
  // One at a time, while nothing else is to be done: the page can be used meanwhile.
  const openNext = () => {
    const [el] = waiting;
    if (el) whenIdle(() => { openOne(el); openNext(); });
  };
  for (const sign of SIGNS) addEventListener(sign, openNext, { once: true, passive: true });
  setTimeout(openNext, QUIET);
}

export function openAll(name, render) {
  openInTime(document.querySelectorAll(`.coursekit-${name}:not([data-open])`), (el) => {
    if ("open" in el.dataset) return;
    el.dataset.open = "";
    render({ model: modelOf(el), el });
  });
}
