// A sample under sliders that move it.
// A movement is six numbers, which `moving.js` explains; pictures, masks, points and boxes are moved as the
// library moves them.
import { button, choose, drawing, element, settle, slider, tickBox, written } from "./drawing.js";
import { after, carried, draw, held, mixed, moved, outlines, picked, pixelsOf } from "./moving.js";

const STYLE = `
  & .parts { gap: 1rem 1.6rem; }
  & .parts + .parts { margin-top: 1rem; }
  & .parts > div { max-width: 28rem; }
  & .stage { position: relative; line-height: 0; }
  & .stage > * { width: 100%; height: auto; }
  & .stage > * + * { position: absolute; inset: 0; height: 100%; overflow: hidden; }
  & .controls label > :first-child { min-width: 3.2em; }
  & table { border-collapse: collapse; margin: 0; font-variant-numeric: tabular-nums; }
  & caption { width: auto; padding: 0 0 0.2em; text-align: left; font-weight: 600; color: inherit; }
  & .matrix .number:nth-child(n) { min-width: 4.2em; padding: 0.1em 0.3em; color: inherit; text-align: right;
    border: 0; }
  & .magnified { display: flex; gap: 1rem; }
  & figure { margin: 0; flex: 1 1 0; max-width: 11rem; }
  & figure canvas { width: 100%; image-rendering: pixelated; }
  & figcaption { margin: 0.2em 0 0; line-height: 1.35; }
  & .names { display: flex; flex-wrap: wrap; gap: 0 1.2em; margin: 0.5em 0; padding: 0; list-style: none; }
  & .names span { display: inline-block; width: 0.9em; height: 0.9em; margin-right: 0.4em;
    border: 1px solid currentcolor; vertical-align: -0.1em; }`;

// In the order in which they are done: what it is called, its ends, its step, where nothing moves, its words.
const MOVEMENTS = [
  { name: "zoom", least: 0.5, most: 2, step: 0.05, still: 1, say: (value) => `${written(value, 2)} times` },
  { name: "shear", least: -45, most: 45, step: 1, still: 0, say: (value) => `${written(value, 0)}°` },
  { name: "rotate", least: -180, most: 180, step: 1, still: 0, say: (value) => `${written(value, 0)}°` },
  { name: "flip", still: false, say: (value) => (value ? "yes" : "no") },
  { name: "shift", least: -50, most: 50, step: 1, still: 0, say: (value) => `${written(value, 0)} %` },
];
const PART = 36; // The part that is magnified, in pixels.

/** The movements that the sliders say, each about the middle of the picture, in order. */
function movements(values, [width, height]) {
  const angle = (values.rotate * Math.PI) / 180;
  const sine = values.rotate % 180 ? Math.sin(angle) : 0;
  const cosine = Math.abs(values.rotate) === 90 ? 0 : Math.cos(angle);
  const slope = -Math.tan((values.shear * Math.PI) / 180);
  const about = (a, b, c, d) => {
    const [x, y] = [width / 2, height / 2];
    return [a, b, x - a * x - b * y, c, d, y - c * x - d * y];
  };
  return [
    about(values.zoom, 0, 0, values.zoom),
    about(1, slope, 0, 1),
    about(cosine, sine, -sine, cosine),
    about(values.flip ? -1 : 1, 0, 0, 1),
    [1, 0, (values.shift / 100) * width, 0, 1, 0],
  ];
}

/** Move all parts of a sample, by each of the matrices in turn. */
const warped = (sample, matrices) => matrices.reduce(({ size, picture, mask, points, boxes }, matrix) => ({
  size,
  picture: mixed(picture, matrix),
  mask: mask && picked(mask, matrix),
  points: points.map((one) => carried(one, matrix, size)),
  boxes: boxes.map((one) => held(one, matrix, size)),
}), sample);

// What is shown -------------------------------------------------------------------------------------------

/** A mask in the colours of its classes: they shine through, and their edges do not. */
function coloured(mask, classes) {
  const { width, height } = mask;
  const result = new ImageData(width, height);
  const numbers = new Uint32Array(mask.data.buffer).map((pixel) => pixel & 0xffff);
  const colours = new Map(classes.map(({ number, colour }) => [number, colour]));
  numbers.forEach((number, place) => {
    const colour = colours.get(number);
    if (!colour) return;
    const [column, row] = [place % width, Math.floor(place / width)];
    const inside = column > 0 && column < width - 1 && row > 0 && row < height - 1
      && [place - 1, place + 1, place - width, place + width].every((other) => numbers[other] === number);
    result.data.set([...colour, inside ? 90 : 255], 4 * place);
  });
  return result;
}

/** The part of a picture around a place, and by how much its neighbours differ, in grey levels. */
function magnified(picture, place) {
  const { width, height } = picture;
  const side = Math.min(PART, width, height);
  const [left, top] = [[place[0], width], [place[1], height]].map(([middle, length]) =>
    Math.round(Math.min(Math.max(middle - side / 2, 0), length - side)));
  const part = new ImageData(side, side);
  for (let row = 0; row < side; row += 1) {
    const start = 4 * ((top + row) * width + left);
    part.data.set(picture.data.subarray(start, start + 4 * side), 4 * row * side);
  }
  let [sum, count] = [0, 0];
  part.data.forEach((value, number) => {
    const pixel = number >> 2;
    if (number % 4 === 3) return;
    if (pixel % side < side - 1) { sum += Math.abs(value - part.data[number + 4]); count += 1; }
    if (pixel < side * (side - 1)) { sum += Math.abs(value - part.data[number + 4 * side]); count += 1; }
  });
  return { part, difference: sum / count };
}

/** A control for each movement; `read` gives their values, `reset` puts them where nothing moves. */
function controls(start, changed) {
  const made = MOVEMENTS.map(({ name, least: min, most: max, step, still, say }) => {
    const about = { min, max, step, value: start[name] };
    return { name, still, ...(typeof still === "number" ? slider : tickBox)(name, about, say, changed) };
  });
  return {
    rows: made.map(({ row }) => row),
    read: () => Object.fromEntries(made.map(({ name, read }) => [name, read()])),
    reset: () => { made.forEach(({ write, still }) => write(still)); changed(); },
  };
}

/** A choice between one warp and several; `several()` says which is chosen. */
function choice(changed) {
  const name = `coursekit-warp-${Math.random()}`;
  const [one, several] = ["one warp, by this matrix", "five warps, one after the other"].map((text, number) => {
    const input = element("input", { type: "radio", name, checked: number === 0 });
    input.addEventListener("input", changed);
    return { input, row: element("label", {}, input, element("span", { textContent: text })) };
  });
  const group = element("fieldset", {}, element("legend", { textContent: "Moved by" }), one.row, several.row);
  return { group, several: () => several.input.checked };
}

/** What is to be seen, in words. */
function told(values, chosen, several) {
  const moves = MOVEMENTS.map(({ name, say }) => `${name} ${say(values[name])}`).join(", ");
  const all = chosen.points.flatMap(({ places }) => places);
  const left = all.length ? ` ${all.filter(Boolean).length} of ${all.length} points are on the picture.` : "";
  return `The sample after ${several ? "five warps" : "one warp"}: ${moves}.${left}`;
}

async function render({ model, el }) {
  const given = model.get("data");
  const [picture, mask] = await Promise.all(
    [given.picture, given.mask].map((file) => file && pixelsOf(file, given.size)),
  );
  const sample = { ...given, picture, mask };
  const [photo, layer, ...parts] = Array.from({ length: 4 }, () => element("canvas"));
  const lines = drawing("svg", { viewBox: `0 0 ${given.size.join(" ")}`, "aria-hidden": "true" });
  const cells = Array.from({ length: 6 }, () => element("td", { className: "number" }));
  const words = parts.map(() => element("figcaption"));
  let waiting = 0;

  function show() {
    waiting = 0;
    const values = sliders.read();
    const steps = movements(values, given.size);
    const matrix = steps.reduce((whole, step) => after(step, whole));
    const results = [warped(sample, [matrix]), warped(sample, steps)];
    const chosen = results[Number(movedBy.several())];
    draw(photo, chosen.picture);
    if (mask) draw(layer, coloured(chosen.mask, given.classes));
    lines.replaceChildren(...outlines(chosen));
    photo.setAttribute("aria-label", told(values, chosen, movedBy.several()));
    cells.forEach((cell, number) => { cell.textContent = written(matrix[number], number % 3 === 2 ? 1 : 3); });
    results.forEach((result, number) => {
      const { part, difference } = magnified(result.picture, moved(matrix, given.look));
      draw(parts[number], part);
      const said = `${["One warp", "Five warps"][number]}: neighbours differ by ${difference.toFixed(1)}`;
      parts[number].setAttribute("aria-label", `A part of the picture, magnified. ${said}.`);
      words[number].textContent = said;
    });
    choose(model, { ...values, matrix });
  }
  const soon = () => { waiting ||= requestAnimationFrame(show); };
  const sliders = controls({ ...given.start, ...model.get("state") }, soon);
  const movedBy = choice(soon);
  [photo, ...parts].forEach((canvas) => canvas.setAttribute("role", "img"));
  layer.setAttribute("aria-hidden", "true");

  const rows = [cells.slice(0, 3), cells.slice(3)].map((row) => element("tr", {}, ...row));
  const names = given.classes.filter(({ name }) => name).map(({ name, colour }) => {
    const patch = element("span");
    patch.style.background = `rgb(${colour.join(" ")})`;
    return element("li", {}, patch, name);
  });
  settle(el, "warp", STYLE,
    element("div", { className: "parts" },
      element("div", {},
        element("div", { className: "stage" }, photo, layer, lines),
        ...(names.length ? [element("ul", { className: "names" }, ...names)] : [])),
      element("div", { className: "controls" }, ...sliders.rows, button("As it was", sliders.reset))),
    element("div", { className: "parts" },
      element("div", {}, movedBy.group,
        element("table", { className: "matrix" }, element("caption", { textContent: "The matrix" }), element("tbody", {}, ...rows))),
      element("div", { className: "magnified" },
        ...parts.map((part, number) => element("figure", {}, part, words[number])))));
  show();
}

export default { render };
