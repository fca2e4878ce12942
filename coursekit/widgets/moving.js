// How pictures, masks, points and boxes are moved, in a page as in the library, and how they are drawn.
// A movement is six numbers [a, b, s, c, d, t]: the place (x, y) goes to (ax + by + s, cx + dy + t), in pixels
// from the top left corner.
import { drawing, element } from "./drawing.js";

const LETTERS = 7.5; // How high names are written in the picture, in its pixels.

// Movements -----------------------------------------------------------------------------------------------

/** What it is to do first `n` and then `m`. */
export const after = ([a, b, s, c, d, t], n) => [
  a * n[0] + b * n[3], a * n[1] + b * n[4], a * n[2] + b * n[5] + s,
  c * n[0] + d * n[3], c * n[1] + d * n[4], c * n[2] + d * n[5] + t,
];
export const moved = ([a, b, s, c, d, t], [x, y]) => [a * x + b * y + s, c * x + d * y + t];
export const back = ([a, b, s, c, d, t]) => {
  const area = a * d - b * c;
  return [d / area, -b / area, (b * t - d * s) / area, -c / area, a / area, (c * s - a * t) / area];
};

// What is moved -------------------------------------------------------------------------------------------

/** Call `put` with each pixel of a new picture that came from the old one, and the place it came from. */
function everyOrigin(old, { width, height }, matrix, put) {
  const [a, b, s, c, d, t] = back(matrix);
  for (let row = 0, to = 0; row < height; row += 1) {
    for (let column = 0; column < width; column += 1, to += 1) {
      const x = a * (column + 0.5) + b * (row + 0.5) + s;
      const y = c * (column + 0.5) + d * (row + 0.5) + t;
      if (x >= 0 && x <= old.width && y >= 0 && y <= old.height) put(to, x, y);
    }
  }
}

/** Mix each pixel of a new picture of the four around the place it came from: of colours, or of plain numbers. */
export function mixInto(result, picture, matrix) {
  const { width, height, data: old } = picture;
  const each = old.length / (width * height); // four numbers a pixel, of which the last is no colour, or one
  everyOrigin(picture, result, matrix, (to, x, y) => {
    const left = Math.min(Math.max(x - 0.5, 0), width - 1);
    const top = Math.min(Math.max(y - 0.5, 0), height - 1);
    const [column, row] = [Math.floor(left), Math.floor(top)];
    const [right, down] = [left - column, top - row];
    const first = each * (row * width + column);
    const next = column + 1 < width ? each : 0;
    const below = row + 1 < height ? each * width : 0;
    for (let number = 0; number < Math.min(each, 3); number += 1) {
      const here = first + number;
      const upper = old[here] * (1 - right) + old[here + next] * right;
      const lower = old[here + below] * (1 - right) + old[here + below + next] * right;
      result.data[each * to + number] = upper * (1 - down) + lower * down;
    }
  });
  return result;
}

/** Move a picture; where nothing came from it is black. */
export function mixed(picture, matrix, [width, height] = [picture.width, picture.height]) {
  const result = new ImageData(width, height);
  for (let alpha = 3; alpha < result.data.length; alpha += 4) result.data[alpha] = 255;
  return mixInto(result, picture, matrix);
}

/** Move a mask: each new pixel is the one it came from, since between two classes there is no other. */
export function picked(mask, matrix, [width, height] = [mask.width, mask.height]) {
  const result = new ImageData(width, height);
  const [old, pixels] = [new Uint32Array(mask.data.buffer), new Uint32Array(result.data.buffer)];
  everyOrigin(mask, result, matrix, (to, x, y) => {
    const [column, row] = [Math.min(Math.floor(x), mask.width - 1), Math.min(Math.floor(y), mask.height - 1)];
    pixels[to] = old[row * mask.width + column];
  });
  return result;
}

/** Move key points; what leaves the canvas is lost. In a mirror a left eye is a right one. */
export function carried({ names, partners, places }, matrix, [width, height]) {
  const there = places.map((place) => {
    const [x, y] = place ? moved(matrix, place) : [NaN, NaN];
    return x >= 0 && x <= width && y >= 0 && y <= height ? [x, y] : null;
  });
  const mirrored = matrix[0] * matrix[4] - matrix[1] * matrix[3] < 0;
  return { names, partners, places: there.map((place, row) => (mirrored ? there[partners[row]] : place)) };
}

/** Move a box: the new one holds the corners of the old, as far as they are on the canvas. */
export function held({ name, edges }, matrix, [width, height]) {
  if (!edges) return { name, edges };
  const [left, top, right, bottom] = edges;
  const corners = [[left, top], [right, top], [left, bottom], [right, bottom]].map((one) => moved(matrix, one));
  const [xs, ys] = [corners.map(([x]) => x), corners.map(([, y]) => y)];
  const first = [Math.max(Math.min(...xs), 0), Math.max(Math.min(...ys), 0)];
  const last = [Math.min(Math.max(...xs), width), Math.min(Math.max(...ys), height)];
  return { name, edges: first[0] < last[0] && first[1] < last[1] ? [...first, ...last] : null };
}

// What is shown -------------------------------------------------------------------------------------------

/** The pixels of a picture that is given as the text of its file. */
export async function pixelsOf(file, [width, height]) {
  const picture = new Image();
  picture.src = `data:image/webp;base64,${file}`;
  await picture.decode();
  const brush = element("canvas", { width, height }).getContext("2d", { willReadFrequently: true });
  brush.drawImage(picture, 0, 0);
  return brush.getImageData(0, 0, width, height);
}

/** Points and boxes as lines, with their names. */
export function outlines({ points, boxes, size }) {
  const named = (name, x, y, before) => (name ? [drawing("text", {
    x: x + (before ? -2 : 2), y: Math.min(y, size[1] - 2), "font-size": LETTERS, "font-weight": 600, fill: "#fff", stroke: "#000",
    "stroke-width": 2, "paint-order": "stroke", "text-anchor": before ? "end" : "start",
  }, name)] : []);
  const there = boxes.filter(({ edges }) => edges).flatMap(({ name, edges: [left, top, right, bottom] }) => [
    ...["#000", "#fff"].map((stroke, line) => drawing("rect", {
      x: left, y: top, width: right - left, height: bottom - top, fill: "none", stroke, "stroke-width": 2 - line,
    })),
    ...named(name, left, top + LETTERS, left > size[0] * 0.8),
  ]);
  const dots = points.flatMap(({ names, places }) => places.flatMap((place, row) => {
    if (!place) return [];
    const [[x, y], before] = [place, place[0] > size[0] * 0.8]; // at the right edge there is room on the left only
    return [
      drawing("circle", { cx: x, cy: y, r: 2.4, fill: "#fff", stroke: "#000" }),
      ...named(names && names[row], x + (before ? -2 : 2), y + LETTERS / 3, before),
    ];
  }));
  return [...there, ...dots];
}

/** Put pixels onto a canvas. */
export const draw = (canvas, pixels) => {
  Object.assign(canvas, { width: pixels.width, height: pixels.height });
  canvas.getContext("2d").putImageData(pixels, 0, 0);
};
