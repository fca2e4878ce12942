// The model answers in this page. Photos are prepared as in Python, to the last bit from the same pixels.
const about = "{about}";
const channels = about.input.mode === "L" ? 1 : 3;
let session = null;

// A photo as rows of pixels, upright, transparent parts on white: { height, width, values }, channel by channel.
async function read(file) {
  const bitmap = await createImageBitmap(file, { imageOrientation: "from-image", colorSpaceConversion: "none" });
  const { width, height } = bitmap;
  const canvas = Object.assign(document.createElement("canvas"), { width, height });
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.fillStyle = "#fff";
  context.fillRect(0, 0, width, height);
  context.drawImage(bitmap, 0, 0);
  const { data } = context.getImageData(0, 0, width, height);
  const count = width * height;
  const values = new Uint8Array(channels * count);
  for (let at = 0; at < count; at++) {
    const [red, green, blue] = [data[4 * at], data[4 * at + 1], data[4 * at + 2]];
    if (channels === 1) values[at] = (19595 * red + 38470 * green + 7471 * blue + 32768) >> 16;  // as Pillow does
    else [values[at], values[count + at], values[2 * count + at]] = [red, green, blue];
  }
  return { height, width, values };
}

// Which old pixels make each new one, and how much of each, in whole numbers: `taps` of predict.py.
function taps(old, now) {
  const scale = old / now, reach = Math.max(scale, 1), rows = [];
  let largest = 0;
  for (let place = 0; place < now; place++) {
    const centre = scale * (place + 0.5);
    const first = Math.max(Math.trunc(centre - reach + 0.5), 0);
    const last = Math.min(Math.trunc(centre + reach + 0.5), old);
    const weights = [];
    for (let at = first; at < last; at++) weights.push(Math.max(1 - Math.abs((at - centre + 0.5) / reach), 0));
    const sum = weights.reduce((one, other) => one + other, 0);
    rows.push({ first, weights: weights.map((weight) => weight / sum) });
    largest = Math.max(largest, ...rows[place].weights);
  }
  let precision = 0;
  while (precision < 22 && Math.trunc(0.5 + largest * 2 ** (precision + 1)) < 2 ** 15) precision++;
  for (const row of rows) row.weights = row.weights.map((weight) => Math.trunc(weight * 2 ** precision + 0.5));
  return { rows, precision };
}

function resized(picture, height, width) {
  const across = taps(picture.width, width), down = taps(picture.height, height);
  const narrow = new Uint8ClampedArray(channels * picture.height * width);
  for (let line = 0; line < channels * picture.height; line++)
    for (let x = 0; x < width; x++) {
      const { first, weights } = across.rows[x];
      let sum = 1 << (across.precision - 1);
      for (let at = 0; at < weights.length; at++) sum += weights[at] * picture.values[line * picture.width + first + at];
      narrow[line * width + x] = sum >> across.precision;
    }
  const values = new Uint8ClampedArray(channels * height * width);
  for (let channel = 0; channel < channels; channel++)
    for (let y = 0; y < height; y++) {
      const { first, weights } = down.rows[y];
      for (let x = 0; x < width; x++) {
        let sum = 1 << (down.precision - 1);
        for (let at = 0; at < weights.length; at++)
          sum += weights[at] * narrow[(channel * picture.height + first + at) * width + x];
        values[(channel * height + y) * width + x] = sum >> down.precision;
      }
    }
  return { height, width, values };
}

// A part of a picture, or a picture in a larger one with zeros around it.
function placed(picture, height, width, top, left) {
  const values = new Uint8Array(channels * height * width);
  for (let channel = 0; channel < channels; channel++)
    for (let y = Math.max(0, -top); y < Math.min(picture.height, height - top); y++)
      for (let x = Math.max(0, -left); x < Math.min(picture.width, width - left); x++)
        values[(channel * height + y + top) * width + x + left] =
          picture.values[(channel * picture.height + y) * picture.width + x];
  return { height, width, values };
}

// To the nearest whole number, of two as near to the even one, as Python rounds.
const round = (value) => (Math.abs(value % 1) === 0.5 ? 2 * Math.round(value / 2) : Math.round(value));
const half = (value) => Math.floor(value / 2);
const middle = (picture, height, width) =>
  placed(picture, height, width, -half(picture.height - height), -half(picture.width - width));

function fitted(picture, [height, width], fit) {
  const ratios = [picture.height / height, picture.width / width];
  if (fit === "squeeze") return resized(picture, height, width);
  if (fit === "crop") {
    const part = [height, width].map((length) => Math.max(1, round(length * Math.min(...ratios))));
    return resized(middle(picture, ...part), height, width);
  }
  const [high, wide] = [picture.height, picture.width].map((length) => Math.max(1, round(length / Math.max(...ratios))));
  return placed(resized(picture, high, wide), height, width, half(height - high), half(width - wide));
}

function prepared(picture) {
  for (const { do: step, with: how } of about.input.steps)
    picture = step === "resize" ? fitted(picture, how.size, how.fit) : middle(picture, ...how.size);
  return picture;
}

// The names of the answer, and all names with their probabilities.
async function answerTo(file) {
  const picture = await read(file).then(prepared).catch(() => {
    throw new Error("This is no photo that the browser can read.");
  });
  const items = new ort.Tensor("uint8", Uint8Array.from(picture.values), [1, ...about.input.shape]);
  const { answers } = await (await session).run({ items });
  const { kind, vocab, threshold } = about.answer;
  if (kind === "numbers") return [[[...answers.data].map((one) => one.toPrecision(4)).join(", ")], []];
  const known = vocab.map((name, place) => [name, answers.data[place]]).sort((a, b) => b[1] - a[1]);
  const said = kind === "one" ? known.slice(0, 1) : known.filter(([, share]) => share > threshold);
  return [said.map(([name]) => name), known];
}

if (location.protocol === "file:") {
  for (const control of document.querySelectorAll("#photo, #photos")) control.disabled = true;
  drop.textContent = "This page needs a web server: run python -m http.server in its folder.";
} else {
  ort.env.wasm.numThreads = 1;
  ort.env.wasm.wasmPaths = new URL("runtime/", location.href).href;
  session = ort.InferenceSession.create("model.onnx").catch(() => {
    throw new Error("The model could not be loaded.");
  });
  session.catch((error) => { answer.textContent = error.message; });
}
