// What the scripts of all widgets share: elements and drawings, numbers in words, controls with their labels.
// Colours come from the page where it has some, and else are readable on light and on dark ground.

const STYLE = `
  .coursekit-widget { max-width: 46rem; font-family: var(--sans, inherit); font-size: 0.9em; line-height: 1.5; }
  .coursekit-widget .parts { display: flex; flex-wrap: wrap; gap: 0.6rem 1.6rem; align-items: flex-start; }
  .coursekit-widget .parts > * { flex: 1 1 16rem; min-width: 0; }
  .coursekit-widget svg { display: block; width: 100%; height: auto; font-size: 11px; fill: currentcolor; }
  .coursekit-widget label { display: flex; gap: 0.7em; align-items: center; min-height: 2.2em; }
  .coursekit-widget input { accent-color: var(--blue, #0072b2); }
  .coursekit-widget input[type="range"] { flex: 1; min-width: 0; height: 2em; margin: 0; }
  .coursekit-widget .value { min-width: 5.6em; font-variant-numeric: tabular-nums; }
  .coursekit-widget .buttons { display: flex; flex-wrap: wrap; gap: 0.6em; margin: 0.4em 0; }
  .coursekit-widget button { padding: 0.45em 1.1em; font: inherit; color: inherit; background: transparent;
    border: 1px solid currentcolor; border-radius: 0.4em; cursor: pointer; }
  .coursekit-widget button:disabled { border-style: dashed; cursor: default; }
  .coursekit-widget button.main { font-weight: 600; }
  .coursekit-widget :focus-visible { outline: 2px solid var(--blue, #0072b2); outline-offset: 2px; }
  .coursekit-widget fieldset { margin: 0.6em 0; padding: 0; border: 0; min-width: 0; }
  .coursekit-widget legend { padding: 0; font-weight: 600; }`;

export const BLUE = "var(--blue, #0072b2)";
export const ORANGE = "var(--orange, #d55e00)";
/** How axes are drawn: there, and not in the way. */
export const THIN = { stroke: "currentcolor", "stroke-opacity": 0.45 };

/** An element with these properties, and what it holds. */
export function element(kind, about = {}, ...children) {
  const made = Object.assign(document.createElement(kind), about);
  made.append(...children);
  return made;
}

/** A part of a drawing with these attributes. */
export function drawing(kind, about = {}, text = "") {
  const made = document.createElementNS("http://www.w3.org/2000/svg", kind);
  Object.entries(about).forEach(([name, value]) => made.setAttribute(name, value));
  made.textContent = text;
  return made;
}

/** A line from point to point. */
export function line(points, about) {
  const places = points.map(([x, y]) => `${x.toFixed(1)},${y.toFixed(1)}`);
  return drawing("path", { d: `M${places.join("L")}`, fill: "none", "stroke-linejoin": "round", ...about });
}

/** A number with so many decimals, with a real minus, and none before zero. */
export function written(value, digits) {
  return value.toFixed(digits).replace(/^-(?=[0.]*$)/, "").replace("-", "−");
}

/** Round numbers between two ends, at most six, to be written along an axis. */
export function ticks(first, last) {
  const power = 10 ** Math.floor(Math.log10((last - first) / 4));
  const step = power * [1, 2, 5, 10].find((one) => (last - first) / (power * one) <= 5);
  const [from, to] = [Math.ceil(first / step - 1e-9), Math.floor(last / step + 1e-9)];
  const digits = Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
  return Array.from({ length: to - from + 1 }, (_, number) => (from + number) * step)
    .map((value) => ({ value, text: written(value, digits) }));
}

/** A control in a row with its label and, in words by `say`, its value. */
function row(label, input, read, put, say, changed) {
  const shown = element("span", { className: "value" });
  const tell = () => {
    shown.textContent = say(read());
    if (input.type === "range") input.setAttribute("aria-valuetext", shown.textContent);
  };
  const write = (value) => { put(value); tell(); };
  input.setAttribute("aria-label", label);
  shown.setAttribute("aria-hidden", "true"); // the control itself says its value
  input.addEventListener("input", () => { tell(); changed(read()); });
  return { input, read, write, row: element("label", {}, element("span", { textContent: label }), input, shown) };
}

/** A slider in a row with its label and, in words by `say`, its value; `changed` is called with its number. */
export function slider(label, { min, max, step = 1, value }, say, changed) {
  const input = element("input", { type: "range", min, max, step });
  const made = row(label, input, () => Number(input.value), (number) => { input.value = number; }, say, changed);
  made.write(value);
  return made;
}

/** A box to be ticked, in a row as a slider's; `changed` is called with true or false. */
export function tickBox(label, { value }, say, changed) {
  const input = element("input", { type: "checkbox" });
  const made = row(label, input, () => input.checked, (ticked) => { input.checked = ticked; }, say, changed);
  made.write(value);
  return made;
}

/** A button that says what it does. */
export function button(text, press, about = {}) {
  const made = element("button", { type: "button", textContent: text, ...about });
  made.addEventListener("click", press);
  return made;
}

/** Note what a person chose: on a page nobody else reads it, in a notebook Python has it at once. */
export function choose(model, choice) {
  model.set("state", { ...model.get("state"), ...choice });
  model.save_changes();
}

/** Put a widget in place of its still picture. Rules in `style` hold within it: `& button { … }`. */
export function settle(el, name, style, ...children) {
  el.dataset.open = "";
  el.classList.add("coursekit-widget", `coursekit-${name}`);
  // A notebook would take the arrow keys for itself, to go from cell to cell. On a page Ctrl+K still searches.
  el.addEventListener("keydown", (event) => {
    if (!((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k")) event.stopPropagation();
  });
  el.replaceChildren(element("style", { textContent: `${STYLE}\n.coursekit-widget.coursekit-${name} {${style}}` }), ...children);
}
