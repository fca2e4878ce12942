// Scores, a temperature, and the shares that softmax makes of them: e to the (score / temperature), divided by their sum.
import { BLUE, button, choose, element, settle, slider, written } from "./drawing.js";
import { softmax } from "./probabilities.js";

const STYLE = `
  & .parts { align-items: center; flex-wrap: nowrap; padding-bottom: 0.5em;
    border-bottom: 1px solid color-mix(in srgb, currentcolor 25%, transparent); }
  & .parts > img { flex: none; width: 5.5em; image-rendering: pixelated; }
  & .scores { display: grid; grid-template-columns: max-content minmax(7em, 2fr) max-content 6.2em 4.4em minmax(7em, 3fr);
    gap: 0.15em 0.8em; align-items: center; margin: 0.5em 0; font-variant-numeric: tabular-nums; }
  & .scores > *, & .scores label { display: contents; }
  & .heading > * { color: var(--quiet, inherit); white-space: nowrap; }
  & .heading > :nth-child(n + 4) { text-align: right; }
  & .scores label > :first-child, & .share { font-weight: 600; }
  & .scores .value { min-width: 3em; text-align: right; }
  & .power, & .share { text-align: right; }
  & .bar { height: 1.5em; border-radius: 0.2em; background: color-mix(in srgb, currentcolor 8%, transparent); }
  & .bar > * { height: 100%; border-radius: 0.2em; background: ${BLUE}; transition: width 0.25s; }
  & .told { margin: 0.6em 0 0; min-height: 4.5em; }
  @media (prefers-reduced-motion: reduce) { & .bar > * { transition: none; } }
  @media (max-width: 36rem) {
    & .scores { grid-template-columns: max-content 1fr 3em 4.2em; gap: 0 0.6em; }
    & .parts label { flex-wrap: wrap; }
    & .parts input { min-width: 9em; }
    & .heading, & .power { display: none; }
    & .bar { grid-column: 2 / -1; height: 0.5em; margin-bottom: 0.5em; }
  }`;

/** A number in three digits that count. */
function short(value) {
  if (value === Infinity) return "∞"; // larger than any number a computer writes; shares are computed without it
  if (value !== 0 && (Math.abs(value) >= 1e5 || Math.abs(value) < 1e-4)) {
    const [digits, power] = value.toExponential(1).split("e");
    return `${digits.replace("-", "−")} · 10^${power.replace("+", "").replace("-", "−")}`;
  }
  return String(Number(value.toPrecision(3))).replace("-", "−");
}
const percent = (share) => `${written(100 * share, share > 0.9995 && share < 1 ? 3 : 1)} %`;

/** Why the first is that much larger than the second, in words. */
function told(names, scores, shares, temperature) {
  const [first, second] = scores.map((_, number) => number).sort((one, other) => scores[other] - scores[one]);
  const ahead = scores[first] - scores[second];
  if (ahead < 1e-9) return `${names[first]} and ${names[second]} have the same score, so they get the same share, at any temperature.`;
  const power = ahead / temperature;
  return `${names[first]} is ${short(ahead)} ahead of ${names[second]}. Divided by the temperature ${short(temperature)}, that is ${short(power)}; `
    + `and e to the ${short(power)} is ${short(Math.exp(power))}. So ${names[first]} gets ${short(shares[first] / shares[second])} times the share of ${names[second]}.`;
}

function render({ model, el }) {
  const { names, scores: given, ends, temperatures, temperature, picture, alt } = model.get("data");
  const said = element("p", { className: "told" });
  said.setAttribute("role", "status");
  const warmth = slider("temperature", { min: 0, max: temperatures.length - 1, value: temperatures.indexOf(temperature) },
    (number) => String(temperatures[number]), () => show());
  const items = names.map((name, number) => {
    const control = slider(name, { min: ends[0], max: ends[1], step: "any", value: given[number] }, (value) => written(value, 1), () => {
      scores[number] = control.read();
      show();
    });
    // With the arrow keys by a tenth; "any" keeps scores as exact as they were given.
    control.input.addEventListener("keydown", (event) => {
      const way = { ArrowRight: 0.1, ArrowUp: 0.1, ArrowLeft: -0.1, ArrowDown: -0.1 }[event.key];
      if (!way) return;
      event.preventDefault();
      put(number, Number((scores[number] + way).toFixed(6)));
      show();
    });
    const [power, filled, share] = ["span", "div", "span"].map((kind) => element(kind));
    [power.className, share.className] = ["power", "share"];
    const bar = element("div", { className: "bar" }, filled);
    bar.setAttribute("aria-hidden", "true"); // the share beside it says the same
    return { control, power, filled, share, row: element("div", {}, control.row, power, share, bar) };
  });
  let scores = [...given];

  function put(number, value) {
    scores[number] = value;
    const { input } = items[number].control;
    [input.min, input.max] = [Math.min(input.min, value), Math.max(input.max, value)];
    items[number].control.write(value);
  }
  function show() {
    const warm = temperatures[warmth.read()];
    const shares = softmax(scores, warm);
    items.forEach(({ control, power, filled, share }, number) => {
      power.textContent = short(Math.exp(scores[number] / warm));
      share.textContent = percent(shares[number]);
      filled.style.width = `${100 * shares[number]}%`;
      control.input.setAttribute("aria-valuetext", `${names[number]}: score ${written(scores[number], 1)}, share ${percent(shares[number])}`);
    });
    said.textContent = told(names, scores, shares, warm);
    choose(model, { scores: [...scores], temperature: warm, shares });
  }
  const all = (change) => () => { scores.forEach((score, number) => put(number, change(score, number))); show(); };

  const heading = ["", "score", "", "e^(score / t)", "share", ""].map((textContent) => element("span", { textContent }));
  settle(el, "softmax", STYLE,
    element("div", { className: "parts" }, ...(picture ? [element("img", { src: picture, alt })] : []), warmth.row),
    element("div", { className: "scores" }, element("div", { className: "heading" }, ...heading), ...items.map(({ row }) => row)),
    element("div", { className: "buttons" },
      button("Add 1 to each score", all((score) => score + 1)),
      button("Double each score", all((score) => 2 * score)),
      button("As it was", () => { warmth.write(temperatures.indexOf(temperature)); all((_, number) => given[number])(); })),
    said);
  show();
}

export default { render };
