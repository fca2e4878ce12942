// Goes through a training that was recorded, event by event: where the loop stands, what has changed, who hears it.
// Nothing is trained here: lines, values and listeners are those of the fit that was recorded.
import { BLUE, button, choose, drawing, element, settle, slider } from "./drawing.js";

const STYLE = `
  max-width: 48rem;
  & .chart { cursor: pointer; touch-action: manipulation; }
  & .chart text { pointer-events: none; }
  & label > :first-child { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
  & label .value { min-width: 5.5em; text-align: right; }
  & .parts { gap: 0.8rem 1.6rem; margin-top: 0.5rem; }
  & .parts > :first-child { flex: 3 1 21rem; }
  & .event { margin: 0.8em 0 0; min-height: 1.5em; }
  & .event code { margin-right: 0.6em; font-size: 1.25em; font-weight: 600; }
  & .event span { color: var(--quiet, inherit); }
  & code { padding: 0; border: 0; font-family: var(--mono, monospace); font-size: 0.9em; color: inherit;
    background: none; }
  & .code { margin: 0; padding: 0; list-style: none; font-family: var(--mono, monospace); font-size: 0.8em; }
  & .code li { display: flex; margin: 0; padding: 0.05em 0.4em 0.05em 0; border-left: 3px solid transparent; }
  & .code .number { flex: none; width: 2.7em; padding-right: 0.9em; text-align: right; color: var(--quiet, inherit);
    user-select: none; }
  & .code .text { text-indent: -2ch; overflow-wrap: anywhere; }
  & .code .outer { border-left-color: color-mix(in srgb, currentcolor 40%, transparent); }
  & .code .outer + .inner { margin-top: 0.6em; }
  & .code .here, & tr.changed > :nth-child(n) { font-weight: 600;
    background: var(--amber-wash, color-mix(in srgb, #e69f00 20%, transparent)); }
  & .code .here { border-left-color: var(--amber, #d55e00); }
  & table { border-collapse: collapse; width: 100%; margin: 0.5em 0; font-variant-numeric: tabular-nums; }
  & th:nth-child(n), & td:nth-child(n) { padding: 0.16em 0.4em; border: 0; color: inherit; background: transparent;
    font-weight: 400; text-align: left; vertical-align: baseline; white-space: nowrap; }
  & td:nth-child(n) { text-align: right; }
  & .heard > :nth-child(n) { padding-top: 0.7em; }
  & .aloud { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }`;

const [WIDTH, ROW] = [720, 19];
const SPANS = { fit: 0, epoch: 1, train: 2, validate: 2, batch: 3 };
const AMBER = "var(--amber, #d55e00)";
const GREEN = "light-dark(#00735a, #4fd1a5)";
const COLOURS = { fit: "currentcolor", epoch: "currentcolor", train: BLUE, validate: GREEN };

/** The parts of training that were begun and ended: what, from which event to which. */
function spans(events) {
  const [open, found] = [[], []];
  events.forEach(({ event, state }, number) => {
    const [when, what] = event.split("_");
    if (!(what in SPANS)) return;
    if (when === "before") {
      open.push({ what, first: number, parent: open[open.length - 1], state });
    } else {
      found.push({ ...open.pop(), last: number });
    }
  });
  return found.sort((one, other) => SPANS[one.what] - SPANS[other.what] || one.first - other.first);
}

/** What a part is called where there is room for its name. */
function called({ what, parent, state }, names) {
  if (what === "epoch") return `epoch ${state[names.indexOf("epoch")]}`;
  if (what === "batch") return state[names.indexOf("batch_number")];
  return what;
}

/** The whole fit as a picture, outer parts above inner ones, and one line for each event at the bottom. */
function picture({ events, names }) {
  const wide = WIDTH / events.length;
  const chart = drawing("svg", { class: "chart", viewBox: `0 0 ${WIDTH} ${5 * ROW}`, "aria-hidden": "true" });
  for (const span of spans(events)) {
    const { what, first, last, parent } = span;
    const [x, y, width] = [first * wide, SPANS[what] * ROW, (last - first + 1) * wide];
    const colour = COLOURS[what] || COLOURS[parent.what];
    const text = called(span, names);
    chart.append(drawing("rect", {
      x: x + 0.75, y: y + 0.75, width: width - 1.5, height: ROW - 2.5, rx: 3, fill: colour, "fill-opacity": what === "fit" ? 0.07 : 0.14,
      stroke: colour, "stroke-opacity": 0.6,
    }));
    if (width > 6.5 * text.length + 8) {
      chart.append(drawing("text", { x: x + width / 2, y: y + ROW - 5.5, "text-anchor": "middle" }, text));
    }
  }
  events.forEach(({ event }, number) => {
    const outer = /^(before|after)_(fit|epoch|train|validate|batch)$/.test(event);
    const x = (number + 0.5) * wide;
    chart.append(drawing("line", {
      x1: x, x2: x, y1: 4 * ROW + (outer ? 8 : 3), y2: 5 * ROW - 2, stroke: "currentcolor", "stroke-opacity": outer ? 0.35 : 0.8,
    }));
  });
  return chart;
}

/** The lines of code, from the outermost call to the one that tells the event: of the last one all, of others one. */
function lines({ stack }, functions) {
  return stack.flatMap(([which, at], depth) => {
    const innermost = depth === stack.length - 1;
    const { code } = functions[which];
    const shown = innermost ? code : code.filter(([number]) => number === at);
    return shown.map(([number, text]) => {
      const here = innermost && number === at;
      const indent = innermost ? text.search(/\S|$/) : 2 * depth;
      const words = element("span", { className: "text", textContent: text.trim() });
      words.style.paddingLeft = `${indent + 2}ch`; // what is too long goes on two letters further right
      const line = element("li", { className: `${innermost ? "inner" : "outer"}${here ? " here" : ""}` },
        element("span", { className: "number", textContent: number }), words);
      if (here) line.setAttribute("aria-current", "step");
      return line;
    });
  });
}

function render({ model, el }) {
  const given = model.get("data");
  const { events, functions, names, purposes } = given;
  const last = events.length - 1;
  const [chart, wide] = [picture(given), WIDTH / events.length];
  const mark = drawing("rect", { y: 0.5, width: Math.max(wide, 3), height: 5 * ROW - 1, rx: 2, fill: AMBER, "fill-opacity": 0.4,
    stroke: AMBER });
  chart.append(mark);
  const place = slider("event", { min: 0, max: last, value: Math.min(model.get("state").event ?? 0, last) },
    (number) => `${number + 1} of ${events.length}`, () => chosen());
  const code = element("ol", { className: "code" });
  const title = element("code");
  const cells = names.map(() => element("td"));
  const rows = names.map((name, number) => element("tr", {},
    element("th", { scope: "row" }, element(name.includes(" ") ? "span" : "code", { textContent: name })), cells[number]));
  const [heard, purpose] = [element("td"), element("span")];
  const hears = element("tr", { className: "heard" }, element("th", { scope: "row", textContent: "heard by" }), heard);
  const aloud = element("p", { className: "aloud" });
  aloud.setAttribute("role", "status");

  const nextBatch = () => events.findIndex(({ event }, number) => number > place.read() && event === "before_batch");
  const next = button("Next event", () => go(place.read() + 1, next), { className: "main" });
  const batch = button("Next batch", () => go(nextBatch(), batch));
  const back = button("Back", () => go(place.read() - 1, back));

  function show() {
    const [before, here] = [events[place.read() - 1], events[place.read()]];
    const changed = here.state.map((value, number) => before !== undefined && value !== before.state[number]);
    const [which, at] = here.stack[here.stack.length - 1];
    mark.setAttribute("x", (place.read() + 0.5) * wide - Math.max(wide, 3) / 2);
    place.input.setAttribute("aria-valuetext", `${here.event}, ${place.read() + 1} of ${events.length}`);
    title.textContent = here.event;
    code.replaceChildren(...lines(here, functions));
    // The room that was once needed stays, so that nothing below jumps up and down.
    code.style.minHeight = `${Math.max(parseFloat(code.style.minHeight) || 0, code.offsetHeight)}px`;
    rows.forEach((row, number) => {
      row.classList.toggle("changed", changed[number]);
      cells[number].textContent = changed[number] ? `${before.state[number]} → ${here.state[number]}` : here.state[number];
    });
    heard.textContent = here.heard.join(", ") || "nobody";
    purpose.textContent = `good for ${purposes[here.event]}`;
    const news = names.map((name, number) => `${name} is now ${here.state[number]}`).filter((_, number) => changed[number]);
    aloud.textContent = `${here.event}, line ${at}, in ${functions[which].name}. Changed: ${news.join("; ") || "nothing"}. Heard by ${heard.textContent}.`;
    [next.disabled, batch.disabled, back.disabled] = [place.read() === last, nextBatch() < 0, place.read() === 0];
  }
  function chosen() {
    show();
    choose(model, { event: place.read(), name: events[place.read()].event });
  }
  function go(to, pressed) {
    place.write(to);
    chosen();
    // Who goes on with the keyboard is not left on a button that has gone out.
    if (pressed && pressed.disabled) (back.disabled || pressed === batch ? next : back).focus();
  }
  chart.addEventListener("click", (event) => {
    const { left, width } = chart.getBoundingClientRect();
    go(Math.max(0, Math.min(Math.floor(((event.clientX - left) / width) * events.length), last)));
  });

  settle(el, "loop", STYLE,
    chart, place.row,
    element("div", { className: "buttons" }, next, batch, back),
    element("p", { className: "event" }, title, purpose),
    element("div", { className: "parts" },
      element("div", {}, code), element("div", {}, element("table", {}, element("tbody", {}, ...rows, hears)))),
    aloud);
  show();
}

export default { render };
