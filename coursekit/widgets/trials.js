// The loss of a trial over the rate, with a mark on it to be dragged: what `rate.js` and `finder.js` share.
import { BLUE, ORANGE, THIN, drawing, line, ticks } from "./drawing.js";

export const WIDTH = 340;
export const HEIGHT = 220;
export const BOX = { left: 38, right: WIDTH - 10, top: 8, bottom: HEIGHT - 38 };

/** A rate in two digits that count. */
export const short = (rate) => String(Number(rate.toPrecision(2))).replace("e-", "e−");

/** Axes of a chart: a height for each loss between two, and marks along the bottom. */
export function axes([lowest, highest], marks, name) {
  const y = (loss) => Math.min(Math.max(
    BOX.bottom - ((loss - lowest) / (highest - lowest)) * (BOX.bottom - BOX.top), BOX.top), BOX.bottom);
  return { y, parts: [
    drawing("path", { d: `M${BOX.left},${BOX.top}V${BOX.bottom}H${BOX.right}`, fill: "none", ...THIN }),
    ...ticks(lowest, highest).map(({ value, text }) =>
      drawing("text", { x: BOX.left - 5, y: y(value) + 4, "text-anchor": "end" }, text)),
    ...marks.flatMap(({ x, text }) => [
      drawing("line", { x1: x, x2: x, y1: BOX.bottom, y2: BOX.bottom + 4, ...THIN }),
      drawing("text", { x, y: BOX.bottom + 16, "text-anchor": "middle" }, text),
    ]),
    drawing("text", { x: (BOX.left + BOX.right) / 2, y: HEIGHT - 5, "text-anchor": "middle" }, name),
    drawing("text", { x: BOX.left + 6, y: BOX.top + 8 }, "loss"),
  ] };
}

/** Powers of ten between two rates, so many that their names have room. */
function powers(low, high, across) {
  const every = Math.ceil((high - low) / 5);
  const first = Math.ceil(low - 1e-9);
  const count = Math.floor((high - first) / every + 1e-9) + 1;
  return Array.from({ length: count }, (_, number) => first + number * every).map((power) => ({
    x: across(10 ** power),
    text: Math.abs(power) < 4 ? String(Number((10 ** power).toFixed(3))) : `1e${power}`.replace("-", "−"),
  }));
}

/**
 * The chart of a trial. Its `curves` are lists of [rate, loss], the first drawn in full; `put` moves the mark to
 * a rate and says so; a pointer that drags it has its rate told to `dragged`.
 */
export function trialChart({ rates, losses, curves: [main, ...others], suggestion, name }, dragged) {
  const [low, high] = [Math.log10(Math.min(...rates)), Math.log10(Math.max(...rates))];
  const across = (rate) => BOX.left + ((Math.log10(rate) - low) / (high - low)) * (BOX.right - BOX.left);
  const { y, parts } = axes(losses, powers(low, high, across), name);
  const curve = (points, about) => line(points.map(([rate, loss]) => [across(rate), y(loss)]), about);
  const upright = (x, about) => line([[x, BOX.top], [x, BOX.bottom]], about);
  const chart = drawing("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", class: "trial" });
  const mark = drawing("g");
  chart.style.cssText = "cursor: ew-resize; touch-action: pan-y";
  chart.append(...parts, ...others.map((points) => curve(points, { stroke: BLUE, "stroke-opacity": 0.45 })),
    curve(main, { stroke: BLUE, "stroke-width": 2.5 }));
  if (suggestion !== null) chart.append(upright(across(suggestion), { stroke: "currentcolor", "stroke-dasharray": "4 3" }));
  chart.append(mark);

  function put(rate) {
    const x = across(rate);
    mark.replaceChildren(
      upright(x, { stroke: ORANGE, "stroke-width": 2.5 }),
      drawing("circle", { cx: x, cy: BOX.bottom, r: 7, fill: ORANGE, stroke: "currentcolor" }),
    );
    const suggested = suggestion === null ? "" : `, the suggestion is ${short(suggestion)}`;
    chart.setAttribute("aria-label", `The loss of a trial over the rate. The mark stands at ${short(rate)}${suggested}.`);
  }
  const drag = ({ clientX }) => {
    const { left, width } = chart.getBoundingClientRect();
    const part = (((clientX - left) / width) * WIDTH - BOX.left) / (BOX.right - BOX.left);
    dragged(10 ** (low + Math.min(Math.max(part, 0), 1) * (high - low)));
  };
  chart.addEventListener("pointerdown", (event) => { chart.setPointerCapture(event.pointerId); drag(event); });
  chart.addEventListener("pointermove", (event) => { if (event.buttons) drag(event); });
  return { chart, put };
}

/** Of some rates the number of the one that is nearest to another, in ratio. */
export function nearest(rates, rate) {
  const away = rates.map((one) => Math.abs(Math.log(one / rate)));
  return away.indexOf(Math.min(...away));
}
