// Things of several kinds, turned at once by one angle, each as the library turns it: pixels are mixed, classes are
// picked, points are carried, a box holds its corners, and a volume turns slice by slice.
import { decoded } from "./bytes.js";
import { BLUE, choose, drawing, element, ORANGE, settle, slider, written } from "./drawing.js";
import { carried, draw, held, mixed, mixInto, moved, outlines, picked, pixelsOf } from "./moving.js";

const STYLE = `
  & .angle { max-width: 34rem; margin: 0 auto 0.6rem; }
  & .angle .value { min-width: 3.2em; text-align: right; }
  & .panels { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(13rem, 44%), 1fr)); gap: 1rem; }
  & figure { margin: 0; min-width: 0; }
  & .stage { display: flex; aspect-ratio: 1; gap: 4%; background: var(--sunk, color-mix(in srgb, currentcolor 7%, transparent));
    border-radius: 0.3em; overflow: hidden; }
  & .stage > * { flex: 1; width: 100%; height: 100%; min-width: 0; object-fit: contain; }
  & .dark { background: #000; }
  & figcaption { margin: 0.3em 0 0; line-height: 1.4; color: inherit; }
  & figcaption > * { display: block; }
  & figcaption > :nth-child(2) { color: var(--quiet, inherit); }
  & figcaption > :last-child { min-height: 3em; font-variant-numeric: tabular-nums; }
  & .stage svg { overflow: visible; }
  & .stage svg text { font-size: 8px; fill: currentcolor; stroke: none; }
  & .stage svg rect { stroke: ${BLUE}; }
  & .stage svg circle { fill: ${ORANGE}; stroke: none; }`;
// From how far above a cloud is seen, and the size of its picture in pixels.
const [ABOVE, SIDE] = [(35 * Math.PI) / 180, 360];
const PIXEL = 40; // The row and column of the one pixel that is followed back.

/** The movement that turns a canvas of this size counterclockwise about its middle, and the size it has afterwards. */
function turning(degrees, [width, height], [high, wide] = [1, 1]) {
  const quarters = degrees % 90 === 0;
  const turns = ((degrees / 90) % 4 + 4) % 4;
  const angle = (degrees * Math.PI) / 180;
  const [sine, cosine] = quarters ? [[0, 1, 0, -1][turns], [1, 0, -1, 0][turns]] : [Math.sin(angle), Math.cos(angle)];
  // By a quarter the canvas turns as well, and its pixels only change places.
  const swap = quarters && sine !== 0;
  const [toWidth, toHeight] = swap ? [height, width] : [width, height];
  const [toHigh, toWide] = swap ? [wide, high] : [high, wide];
  const [a, b, c, d] = [(cosine * wide) / toWide, (sine * high) / toWide, (-sine * wide) / toHigh, (cosine * high) / toHigh];
  const matrix = [a, b, (toWidth - a * width - b * height) / 2, c, d, (toHeight - c * width - d * height) / 2];
  return { matrix, size: [toWidth, toHeight] };
}

/** Numbers that are given as a picture, in steps from the least: red is the low byte of a count, green its high one. */
async function numbersOf({ file, least, step }, [width, height]) {
  const { data } = await pixelsOf(file, [width, height]);
  return Float64Array.from({ length: width * height }, (_, pixel) => (data[4 * pixel] + 256 * data[4 * pixel + 1]) * step + least);
}

/** Numbers as grey, through a window of (low, high). */
function grey({ width, height, data }, [low, high]) {
  const shown = new ImageData(width, height);
  data.forEach((value, pixel) => {
    const bright = Math.round((255 * (value - low)) / (high - low));
    shown.data.set([bright, bright, bright, 255], 4 * pixel);
  });
  return shown;
}

/** Mix numbers; corners get the least, and whole numbers stay whole. */
function turnNumbers(old, { least, step }, { matrix, size: [width, height] }) {
  const result = { width, height, data: new Float64Array(width * height).fill(least) };
  mixInto(result, old, matrix);
  if (step === 1) result.data.forEach((value, pixel) => { result.data[pixel] = Math.round(value); });
  return result;
}

const listed = (numbers, digits) => numbers.map((number) => written(number, digits)).join(", ");

// Each kind is prepared once, and answers with what it is drawn on and how it is turned; that gives a few words.
const KINDS = {
  async photo({ file, size }) {
    const [photo, canvas] = [await pixelsOf(file, size), element("canvas")];
    return { parts: [canvas], turn(degrees) {
      const { matrix, size: to } = turning(degrees, size);
      draw(canvas, mixed(photo, matrix, to));
      // Where the middle of a pixel came from, counted as pixels are: hardly ever is it the middle of one.
      const from = moved(turning(-degrees, to).matrix, [PIXEL + 0.5, PIXEL + 0.5]);
      return `pixel ${PIXEL}, ${PIXEL} comes from ${listed(from.map((one) => one - 0.5), 1)}`;
    } };
  },

  async mask({ mask: file, size, classes }) {
    const [mask, canvas] = [await pixelsOf(file, size), element("canvas")];
    const colours = new Map(classes.map(({ number, colour }) => [number, colour]));
    return { parts: [canvas], turn(degrees) {
      const { matrix, size: to } = turning(degrees, size);
      const result = picked(mask, matrix, to);
      const counts = new Map(classes.map(({ number }) => [number, 0]));
      new Uint32Array(result.data.buffer).forEach((pixel, place) => {
        const number = pixel & 0xffff;
        counts.set(number, counts.get(number) + 1);
        result.data.set([...colours.get(number), 255], 4 * place);
      });
      draw(canvas, result);
      return classes.slice(1).map(({ number, name }) => `${name || number}: ${counts.get(number)} pixels`).join(", ");
    } };
  },

  async places({ size, points, boxes }) {
    const lines = drawing("svg");
    return { parts: [lines], turn(degrees) {
      const { matrix, size: to } = turning(degrees, size);
      const all = { size: to, points: points.map((one) => carried(one, matrix, to)), boxes: boxes.map((one) => held(one, matrix, to)) };
      lines.setAttribute("viewBox", `0 0 ${to.join(" ")}`);
      lines.replaceChildren(...outlines(all));
      const edges = all.boxes.filter((one) => one.edges).map((one) => `box ${listed(one.edges, 0)}`);
      const first = all.points.flatMap(({ names, places }) => places.map((place, row) => place && `${names ? names[row] : "point"} ${listed(place, 1)}`));
      return [...edges, ...first.filter(Boolean).slice(0, 1)].join("; ");
    } };
  },

  async scan(scan) {
    const { size, window, spacing, unit, step } = scan;
    const canvas = element("canvas");
    const old = { width: size[0], height: size[1], data: await numbersOf(scan, size) };
    return { parts: [canvas], turn(degrees) {
      const result = turnNumbers(old, scan, turning(degrees, size, spacing));
      draw(canvas, grey(result, window));
      return `upper left corner: ${written(result.data[0], step === 1 ? 0 : 2)}${unit}`;
    } };
  },

  async volume(scan) {
    const { size: [width, height, depth], window, spacing, up } = scan;
    const voxels = await numbersOf(scan, [width, height * depth]);
    const slices = Array.from({ length: depth }, (_, number) => ({
      width, height, data: voxels.subarray(number * width * height, (number + 1) * width * height),
    }));
    const [lying, upright] = [element("canvas"), element("canvas")];
    return { parts: [lying, upright], turn(degrees) {
      const turn = turning(degrees, [width, height], spacing);
      draw(lying, grey(turnNumbers(slices[Math.floor(depth / 2)], scan, turn), window));
      // Of every slice one row, the middle one: together they are a cut that stands upright.
      const [wide, row] = [turn.size[0], Math.floor(turn.size[1] / 2)];
      const middle = turn.matrix.map((number, place) => (place === 5 ? number - row : number));
      const cut = { width: wide, height: depth, data: new Float64Array(wide * depth) };
      slices.forEach((slice, number) => {
        const line = turnNumbers(slice, scan, { matrix: middle, size: [wide, 1] });
        cut.data.set(line.data, (up ? depth - 1 - number : number) * wide);
      });
      draw(upright, grey(cut, window));
      return `slice ${Math.floor(depth / 2)} of ${depth}, and a cut across all`;
    } };
  },

  async cloud({ places: text, scale, size: [width, height, depth], up }) {
    const numbers = new Uint16Array(decoded(text).buffer);
    const places = Array.from({ length: numbers.length / 3 }, (_, row) => [...numbers.subarray(3 * row, 3 * row + 3)].map((one) => one / scale));
    const canvas = element("canvas", { width: SIDE, height: SIDE });
    // The radius of a ball about the middle that holds them all, however they are turned.
    const far = places.reduce((most, [x, y, z]) => Math.max(most, Math.hypot(x - width / 2, y - height / 2, z - depth / 2)), 0) || 1;
    return { parts: [canvas], turn(degrees) {
      const { matrix, size: [wide, high] } = turning(degrees, [width, height]);
      const there = places.map(([x, y, z]) => [...moved(matrix, [x, y]), z])
        .filter(([x, y]) => x >= 0 && x <= wide && y >= 0 && y <= high);
      const brush = canvas.getContext("2d");
      brush.clearRect(0, 0, SIDE, SIDE);
      // Seen from in front and from above: what is nearer is drawn later, larger and brighter.
      const seen = there.map(([x, y, z]) => {
        const [forth, rise] = [y - high / 2, (up ? 1 : -1) * (z - depth / 2)];
        return [x - wide / 2, forth * Math.sin(ABOVE) - rise * Math.cos(ABOVE), forth * Math.cos(ABOVE) + rise * Math.sin(ABOVE)];
      }).sort((one, other) => one[2] - other[2]);
      for (const [x, y, near] of seen) {
        const part = 0.5 + near / far / 2;
        brush.fillStyle = `hsl(205 ${40 + 45 * part}% ${22 + 52 * part}%)`;
        brush.beginPath();
        brush.arc(SIDE / 2 + (0.48 * x * SIDE) / far, SIDE / 2 + (0.48 * y * SIDE) / far, 2 + 2.5 * part, 0, 2 * Math.PI);
        brush.fill();
      }
      return there.length ? `first point ${listed(there[0], 1)}` : "no point is left";
    } };
  },
};

async function render({ model, el }) {
  const { things, start } = model.get("data");
  const ready = await Promise.all(things.map((thing) => KINDS[thing.kind](thing)));
  const panels = things.map(({ title, how, kind }, number) => {
    const stage = element("div", { className: kind === "volume" || kind === "cloud" ? "stage dark" : "stage" }, ...ready[number].parts);
    const now = element("span");
    stage.setAttribute("role", "img");
    ready[number].parts.forEach((part) => part.setAttribute("aria-hidden", "true")); // the stage says it for all
    const caption = element("figcaption", {}, element("strong", { textContent: title }), element("span", { textContent: how }), now);
    return { stage, now, figure: element("figure", {}, stage, caption) };
  });
  const angle = slider("angle", { min: -180, max: 180, value: model.get("state").degrees ?? start }, (degrees) => `${written(degrees, 0)}°`, soon);
  let waiting = 0;

  function show() {
    waiting = 0;
    const degrees = angle.read();
    ready.forEach(({ turn }, number) => {
      panels[number].now.textContent = turn(degrees);
      panels[number].stage.setAttribute("aria-label", `${things[number].title}, turned by ${written(degrees, 0)}°`);
    });
    choose(model, { degrees });
  }
  function soon() {
    waiting ||= requestAnimationFrame(show);
  }
  angle.row.className = "angle";
  settle(el, "kinds", STYLE, angle.row, element("div", { className: "panels" }, ...panels.map(({ figure }) => figure)));
  show();
}

export default { render };
