// Where no kernel is: opens all widgets of a kind that stand on a page, each with a model of its own that holds
// what is written beside it. A page may run this as often as it likes; what is open stays as it is.

import { near, scriptAt } from "./bytes.js";

const SIGNS = ["keydown", "pointermove", "pointerdown", "scroll"];
const QUIET = 10_000;

export function whenIdle(call) {
  (window.requestIdleCallback ?? setTimeout)(call);
}

export function whenLoaded(call) {
  if (document.readyState === "complete") call();
  else addEventListener("load", call);
}

/** What a widget shows: written beside it, or where it is much, held by a script that the page names. */
async function dataOf(el) {
  const { dataset, textContent } = el.querySelector("script");
  return dataset.from ? (await scriptAt(dataset.from)).values : JSON.parse(textContent);
}

/** What the kernel's model does, for a page alone. */
function modelOf(data) {
  const values = { data, state: {} };
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
 * Waits for the first sign of anybody: a key, a pointer, a touch. Not all who read give one: what reads aloud finds
 * everything after some seconds in which there was nothing else to do.
 */
export function whenSomebodyIsHere(call) {
  const callOnce = () => { call?.(); call = null; };
  for (const sign of SIGNS) addEventListener(sign, callOnce, { once: true, passive: true });
  // A script may come after the sign.
  setTimeout(callOnce, navigator.userActivation?.hasBeenActive ? 0 : QUIET);
}

/** Opens at once what somebody comes near to, and all else when somebody is here; everything if the page is not new. */
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
  whenSomebodyIsHere(openNext);
}

export function openAll(name, render) {
  openInTime(document.querySelectorAll(`.coursekit-${name}:not([data-open])`), async (el) => {
    if ("open" in el.dataset) return;
    el.dataset.open = "";
    try {
      render({ model: modelOf(await dataOf(el)), el });
    } catch (error) {
      delete el.dataset.open; // its picture stays
      throw error;
    }
  });
}
