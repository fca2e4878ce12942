// A kernel of nine weights slid over a picture: at each place nine products, and their sum is one pixel of the answer.
// What is computed is what torch's conv2d computes without padding; the answer has no pixels along its edge.
import { decoded } from "./bytes.js";
import { BLUE, button, choose, element, ORANGE, settle, slider, written } from "./drawing.js";

const STYLE = `
  & .parts { gap: 1rem 1.6rem; flex-wrap: nowrap; }
  & .parts > * { flex: 1 1 0; }
  & .parts p { margin: 0 0 0.3em; font-weight: 600; }
  & .stage { position: relative; line-height: 0; background: var(--sunk, color-mix(in srgb, currentcolor 7%, transparent)); }
  & canvas { width: 100%; height: auto; image-rendering: pixelated; }
  & .picture { cursor: crosshair; touch-action: none; }
  & .frame { position: absolute; box-sizing: border-box; outline: 2px solid #ffb000; box-shadow: 0 0 0 4px #000a;
    pointer-events: none; }
  & .legend { display: flex; gap: 0.6em; align-items: center; margin-top: 0.4em; font-size: 0.9em;
    font-variant-numeric: tabular-nums; }
  & .legend > :nth-child(2) { flex: 1; height: 0.8em; border-radius: 0.2em; }
  & .sliders { margin: 0.4rem 0; }
  & .sliders label > :first-child { min-width: 4.2em; }
  & .sliders .value { min-width: 2em; }
  & .sum { display: grid; grid-template-columns: 1fr auto 1fr auto 1fr; gap: 0.3em 0.6em; align-items: center; max-width: 36rem;
    margin: 0.8rem 0 0.4rem; }
  & .sum > p { margin: 0; color: var(--quiet, inherit); }
  & .sum > p:nth-of-type(even) { visibility: hidden; }
  & .nine { display: grid; grid-template-columns: repeat(3, 1fr); gap: 2px; font-size: 0.9em; text-align: center;
    font-variant-numeric: tabular-nums; }
  & .nine > * { box-sizing: border-box; width: 100%; min-width: 0; height: 2.4em; margin: 0; padding: 0; line-height: 2.4em;
    overflow: hidden; border-radius: 0.2em; }
  & .nine input { font: inherit; color: inherit; text-align: center; appearance: textfield; -moz-appearance: textfield;
    background: var(--raised, transparent); border: 1px solid color-mix(in srgb, currentcolor 55%, transparent); }
  & .nine input::-webkit-inner-spin-button { display: none; }
  & .total { margin: 0.2em 0 0.8em; }
  & .total span { display: inline-block; width: 1.1em; height: 1.1em; margin-right: 0.4em; border: 1px solid currentcolor;
    vertical-align: -0.2em; }
  & .total strong { font-size: 1.15em; font-variant-numeric: tabular-nums; }
  & button[aria-pressed="true"] { color: var(--button-ink, #fff); background: var(--blue, #0072b2); border-color: transparent; }
  @media (max-width: 30rem) { & .parts { gap: 0.8rem; } & .nine { font-size: 0.75em; } & .sum { gap: 0.3em; }
    & .buttons button { padding: 0.35em 0.7em; } }`;

const PLACES = [0, 1, 2, 3, 4, 5, 6, 7, 8].map((number) => [number % 3, Math.floor(number / 3)]);
// What an answer that may be negative is shown in: from dark, where it is 0, to light on either side.
const RAMPS = { up: [[20, 22, 27], [213, 94, 0], [255, 236, 200]], down: [[20, 22, 27], [0, 114, 190], [205, 235, 255]] };

/** Nine products with the pixels under a kernel whose upper left weight lies on this one. */
function products({ pixels, size: [width] }, weights, column, row) {
  return PLACES.map(([x, y], number) => weights[number] * pixels[(row + y) * width + column + x]);
}
const sum = (values) => values.reduce((one, other) => one + other, 0);

/** The whole answer: a number for each place that the kernel fits. */
function answerOf(picture, weights) {
  const [width, height] = picture.size;
  const found = new Float64Array((width - 2) * (height - 2));
  for (let row = 0, to = 0; row < height - 2; row += 1) {
    for (let column = 0; column < width - 2; column += 1, to += 1) found[to] = sum(products(picture, weights, column, row));
  }
  return found;
}

/** How numbers of an answer are shown, and between which ends: as a picture if the kernel keeps brightness, or else by sign. */
function scaleOf(answer, weights) {
  const kept = sum(weights);
  if (kept > 1e-9) {
    const grey = (value) => Math.round(255 * Math.min(Math.max(value / (255 * kept), 0), 1));
    return { low: 0, high: 255 * kept, colour: (value) => [grey(value), grey(value), grey(value)] };
  }
  const most = answer.reduce((found, value) => Math.max(found, Math.abs(value)), 0) || 1;
  const colour = (value) => {
    const [ramp, far] = [value < 0 ? RAMPS.down : RAMPS.up, 2 * Math.min(Math.abs(value) / most, 1)];
    const [from, to] = [ramp[Math.min(Math.floor(far), 1)], ramp[Math.min(Math.floor(far), 1) + 1]];
    const part = far < 1 ? far : far - 1;
    return from.map((one, channel) => Math.round(one * (1 - part) + to[channel] * part));
  };
  return { low: -most, high: most, colour };
}

/** A number as short as it is exact enough. */
const short = (value) => written(value, Math.abs(value - Math.round(value)) < 1e-6 ? 0 : 1);
const rgb = (colour) => `rgb(${colour.join(" ")})`;
const grid = (tiles) => element("div", { className: "nine" }, ...tiles);

function render({ model, el }) {
  const { size: [width, height], pixels: text, kernels, start } = model.get("data");
  const picture = { size: [width, height], pixels: decoded(text) };
  const [across, down] = [width - 2, height - 2];
  const been = new Uint8Array(across * down).fill(1, 0, start[0] * across + start[1] + 1);
  let [row, column] = start;
  let weights = [...kernels[0].weights];
  let answer, scale;

  const [photo, result] = ["picture", "answer"].map((className) => element("canvas", { className, width, height }));
  const [frame, dot] = [element("div", { className: "frame" }), element("div", { className: "frame" })];
  const [least, bar, most] = ["span", "span", "span"].map((kind) => element(kind));
  const pixels = PLACES.map(() => element("span"));
  const made = PLACES.map(() => element("span"));
  const inputs = PLACES.map(([x, y], number) => {
    const input = element("input", { type: "number", step: "any", min: -9, max: 9 });
    input.setAttribute("aria-label", `weight in row ${y + 1}, column ${x + 1}`);
    input.addEventListener("input", () => {
      weights[number] = Math.min(Math.max(Number(input.value) || 0, -9), 9);
      changed();
    });
    // Whoever typed more than fits sees in the end what is computed with.
    input.addEventListener("change", () => { input.value = weights[number]; });
    return input;
  });
  const [patch, total] = [element("span"), element("strong")];
  const columns = slider("column", { min: 0, max: across - 1, value: column }, String, (number) => go(number, row));
  const rows = slider("row", { min: 0, max: down - 1, value: row }, String, (number) => go(column, number));
  const presets = kernels.map((kernel) => button(kernel.name, () => {
    weights = [...kernel.weights];
    inputs.forEach((input, number) => { input.value = weights[number]; });
    changed();
  }));
  const all = button("Slide over all of it", () => { been.fill(1); paint(); });
  const none = button("Start again", () => { been.fill(0); [column, row] = [0, 0]; go(0, 0); });

  function paint() {
    const brush = result.getContext("2d");
    const shown = brush.createImageData(width, height);
    been.forEach((seen, place) => {
      if (!seen) return;
      const [x, y] = [place % across + 1, Math.floor(place / across) + 1];
      shown.data.set([...scale.colour(answer[place]), 255], 4 * (y * width + x));
    });
    brush.putImageData(shown, 0, 0);
    const count = sum(been);
    result.setAttribute("aria-label", `The answer, from ${short(scale.low)} to ${short(scale.high)}: ${count} of ${been.length} pixels are there.`);
  }
  function show() {
    const parts = products(picture, weights, column, row);
    const value = answer[row * across + column];
    const furthest = Math.max(...parts.map(Math.abs)) || 1;
    const percent = (one, whole) => `${(100 * one) / whole}%`;
    Object.assign(frame.style, { left: percent(column, width), top: percent(row, height), width: percent(3, width), height: percent(3, height) });
    Object.assign(dot.style, { left: percent(column + 1, width), top: percent(row + 1, height), width: percent(1, width), height: percent(1, height) });
    PLACES.forEach(([x, y], number) => {
      const grey = picture.pixels[(row + y) * width + column + x];
      pixels[number].textContent = grey;
      Object.assign(pixels[number].style, { background: rgb([grey, grey, grey]), color: grey < 118 ? "#fff" : "#000" });
      made[number].textContent = short(parts[number]);
      const share = Math.round((35 * Math.abs(parts[number])) / furthest);
      made[number].style.background = `color-mix(in srgb, ${parts[number] < 0 ? BLUE : ORANGE} ${share}%, transparent)`;
    });
    total.textContent = short(value);
    patch.style.background = rgb(scale.colour(value));
    [[columns, "column", column], [rows, "row", row]].forEach(([one, name, number]) => {
      one.write(number);
      one.input.setAttribute("aria-valuetext", `${name} ${number}, the sum is ${short(value)}`);
    });
    choose(model, { row, column, weights: [...weights], sum: value });
  }
  function changed() {
    answer = answerOf(picture, weights);
    scale = scaleOf(answer, weights);
    [least.textContent, most.textContent] = [short(scale.low), short(scale.high)];
    const stops = Array.from({ length: 17 }, (_, number) => rgb(scale.colour(scale.low + (number / 16) * (scale.high - scale.low))));
    bar.style.background = `linear-gradient(to right, ${stops.join(", ")})`;
    presets.forEach((preset, number) => {
      preset.setAttribute("aria-pressed", String(kernels[number].weights.every((one, place) => one === weights[place])));
    });
    paint();
    show();
  }
  /** Slide to a place; all places on the way there are passed as well. */
  function go(toColumn, toRow) {
    const steps = Math.max(Math.abs(toColumn - column), Math.abs(toRow - row), 1);
    for (let step = 0; step <= steps; step += 1) {
      const x = Math.round(column + ((toColumn - column) * step) / steps);
      been[Math.round(row + ((toRow - row) * step) / steps) * across + x] = 1;
    }
    [column, row] = [toColumn, toRow];
    paint();
    show();
  }
  function drag(event, lifted) {
    const { left, top, width: wide, height: high } = photo.getBoundingClientRect();
    const at = (offset, length, most) => Math.min(Math.max(Math.floor(offset / length * (most + 2)) - 1, 0), most - 1);
    const place = [at(event.clientX - left, wide, across), at(event.clientY - top, high, down)];
    if (lifted) [column, row] = place;
    go(...place);
  }
  photo.addEventListener("pointerdown", (event) => { photo.setPointerCapture(event.pointerId); drag(event, true); });
  photo.addEventListener("pointermove", (event) => { if (event.buttons) drag(event, false); });

  const brush = photo.getContext("2d");
  const drawn = brush.createImageData(width, height);
  picture.pixels.forEach((grey, place) => drawn.data.set([grey, grey, grey, 255], 4 * place));
  brush.putImageData(drawn, 0, 0);
  [photo, result].forEach((canvas) => canvas.setAttribute("role", "img"));
  photo.setAttribute("aria-label", model.get("data").alt);
  inputs.forEach((input, number) => { input.value = weights[number]; });
  const said = (textContent) => element("p", { textContent });
  settle(el, "convolution", STYLE,
    element("div", { className: "parts" },
      element("div", {}, said("Picture"), element("div", { className: "stage" }, photo, frame)),
      element("div", {}, said("Answer"), element("div", { className: "stage" }, result, dot),
        element("div", { className: "legend" }, least, bar, most))),
    element("div", { className: "sliders" }, columns.row, rows.row),
    element("div", { className: "sum" },
      said("pixels"), said("×"), said("weights"), said("="), said("products"),
      grid(pixels), element("span", { textContent: "×" }), grid(inputs), element("span", { textContent: "=" }), grid(made)),
    element("p", { className: "total" }, "added up, one pixel of the answer: ", patch, total),
    element("div", { className: "buttons" }, ...presets),
    element("div", { className: "buttons" }, all, none));
  changed();
}

export default { render };
