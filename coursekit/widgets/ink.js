// Lines that a pen drew, as the small picture that a network is shown. Lines are kept as places, not as pixels:
// scaled and written again, they look alike to it, whether they were small or large, and wherever they stood.

/** How wide and high the picture is, how large the digit in it, and half of how wide the pen. */
export const SIDE = 28;
const [BOX, HALF] = [20, 1.3];

/** Ink of lines: how much each pixel has, if the lines are scaled by so much and then moved. */
function painted(lines, scale, [right, down]) {
  const ink = new Float32Array(SIDE * SIDE);
  const reach = HALF + 0.5;
  for (const places of lines) {
    const moved = places.map(([x, y]) => [x * scale + right, y * scale + down]);
    moved.forEach(([x, y], number) => {
      const [a, b] = moved[Math.max(number - 1, 0)];
      const [wide, high] = [x - a, y - b];
      const square = wide * wide + high * high || 1;
      const span = (one, other) => [
        Math.max(0, Math.floor(Math.min(one, other) - reach)), Math.min(SIDE - 1, Math.floor(Math.max(one, other) + reach)),
      ];
      const [[left, end], [top, bottom]] = [span(a, x), span(b, y)];
      for (let row = top; row <= bottom; row += 1) {
        for (let column = left; column <= end; column += 1) {
          const [u, v] = [column + 0.5 - a, row + 0.5 - b];
          const along = Math.min(Math.max((u * wide + v * high) / square, 0), 1);
          const there = Math.min(Math.max(reach - Math.hypot(u - along * wide, v - along * high), 0), 1);
          ink[row * SIDE + column] = Math.max(ink[row * SIDE + column], there);
        }
      }
    });
  }
  return ink;
}

/** Where the mass of a picture's ink has its centre. */
function centre(ink) {
  let [mass, x, y] = [0, 0, 0];
  ink.forEach((value, at) => { mass += value; x += value * (at % SIDE + 0.5); y += value * (Math.floor(at / SIDE) + 0.5); });
  return [x / mass, y / mass];
}

/** The picture of lines: scaled into the box, their mass in the middle; null for what is smaller than the smallest digit. */
export function fitted(drawn, smallest) {
  const lines = drawn.some((places) => places.length > 1) ? drawn.filter((places) => places.length > 1) : drawn;
  const places = lines.flat();
  const ends = [0, 1].map((axis) => places.map((place) => place[axis])).map((all) => [Math.min(...all), Math.max(...all)]);
  const size = Math.max(...ends.map(([least, most]) => most - least));
  if (!(size >= smallest)) return null;
  const scale = (BOX - 2 * HALF) / size;
  const middle = ends.map(([least, most]) => SIDE / 2 - (scale * (least + most)) / 2);
  const [x, y] = centre(painted(lines, scale, middle));
  return painted(lines, scale, [middle[0] + SIDE / 2 - x, middle[1] + SIDE / 2 - y]);
}

/** A picture as it is: white on black. */
export function show(canvas, ink) {
  const pixels = new ImageData(SIDE, SIDE);
  pixels.data.fill(255);
  ink.forEach((value, at) => pixels.data.fill(255 * value, 4 * at, 4 * at + 3));
  Object.assign(canvas, { width: SIDE, height: SIDE });
  canvas.getContext("2d").putImageData(pixels, 0, 0);
}
