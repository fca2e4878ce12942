// A loss to be stepped down by hand.
// Nothing is learned here but one number: w becomes w - rate * slope, once for each press.
import { BLUE, ORANGE, THIN, button, choose, drawing, element, line, settle, slider, ticks, written } from "./drawing.js";

const STYLE = `
  & .parts > :first-child { flex: 2 1 19rem; max-width: 30rem; }
  & svg { overflow: hidden; }
  & label > :first-child { min-width: 3.2em; }
  & table { border-collapse: collapse; margin: 0.4em 0; font-variant-numeric: tabular-nums; }
  & th:nth-child(n), & td:nth-child(n) { padding: 0.1em 0; border: 0; color: inherit; background: transparent;
    font-weight: 400; text-align: left; }
  & td:nth-child(n) { padding-left: 1em; min-width: 5em; text-align: right; }
  & p { margin: 0.5em 0 0; min-height: 4.2em; line-height: 1.4; }
  & .ball { transition: transform 0.35s ease-in-out; }
  @media (prefers-reduced-motion: reduce) { & .ball { transition: none; } }`;
const [WIDTH, HEIGHT] = [360, 230];
const BOX = { left: 42, right: WIDTH - 8, top: 8, bottom: HEIGHT - 36 };
const TRAIL = 40; // So many places where the ball was stay to be seen.

/** A number in three digits that count. */
function short(value) {
  const size = Math.abs(value);
  if (size >= 1e6) return value.toExponential(1).replace("e+", " · 10^").replace("-", "−");
  return written(value, size >= 100 ? 0 : size >= 10 ? 1 : 3);
}

/** How high and how steep the loss is at a place: between two that were measured, by their heights and slopes. */
function lookUp(places, at) {
  const last = places.length - 1;
  if (!(at >= places[0][0] && at <= places[last][0])) return null;
  let [low, high] = [0, last];
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (places[middle][0] <= at) low = middle; else high = middle;
  }
  const [[a, fromHeight, fromSlope], [b, toHeight, toSlope]] = [places[low], places[high]];
  const [width, t] = [b - a, (at - a) / (b - a)];
  const loss = fromHeight * (1 + 2 * t) * (1 - t) ** 2 + fromSlope * width * t * (1 - t) ** 2
    + toHeight * (3 - 2 * t) * t ** 2 + toSlope * width * (t - 1) * t ** 2;
  const slope = (6 * (toHeight - fromHeight) * t * (1 - t)) / width
    + fromSlope * (1 - t) * (1 - 3 * t) + toSlope * t * (3 * t - 2);
  return { at, loss, slope };
}

/** Axes and curve, and where a place is drawn. */
function picture({ ends: [first, last], places, name }) {
  const shown = places.filter(([at]) => at >= first && at <= last);
  const heights = shown.map(([, height]) => height);
  const room = (Math.max(...heights) - Math.min(...heights)) * 0.06 || 1;
  const [lowest, highest] = [Math.min(...heights) - room, Math.max(...heights) + room];
  const x = (at) => BOX.left + ((at - first) / (last - first)) * (BOX.right - BOX.left);
  const y = (height) => BOX.bottom - ((height - lowest) / (highest - lowest)) * (BOX.bottom - BOX.top);
  const parts = [
    drawing("path", { d: `M${BOX.left},${BOX.top}V${BOX.bottom}H${BOX.right}`, fill: "none", ...THIN }),
    ...ticks(first, last).flatMap(({ value, text }) => [
      drawing("line", { x1: x(value), x2: x(value), y1: BOX.bottom, y2: BOX.bottom + 4, ...THIN }),
      drawing("text", { x: x(value), y: BOX.bottom + 16, "text-anchor": "middle" }, text),
    ]),
    ...ticks(lowest, highest).flatMap(({ value, text }) => [
      drawing("line", { x1: BOX.left - 4, x2: BOX.left, y1: y(value), y2: y(value), ...THIN }),
      drawing("text", { x: BOX.left - 7, y: y(value) + 4, "text-anchor": "end" }, text),
    ]),
    drawing("text", { x: (BOX.left + BOX.right) / 2, y: HEIGHT - 4, "text-anchor": "middle" }, name),
    drawing("text", { x: BOX.left + 6, y: BOX.top + 10 }, "loss"),
    line(shown.map(([at, height]) => [x(at), y(height)]), { stroke: BLUE, "stroke-width": 2.5 }),
  ];
  return { parts, x, y, holds: ({ at, loss }) => at >= first && at <= last && loss <= highest };
}

/** What a step did, in a sentence. */
function told(count, from, to, steepest, inside) {
  const start = `Step ${count}: `;
  if (!to) return `${start}it flew off, further than anything was measured. Start again with a lower rate.`;
  const change = `from ${short(from.loss)} to ${short(to.loss)}`;
  if (!inside && to.loss > from.loss) {
    return `${start}out of the picture. The loss rose ${change}: each step lands higher, where it is steeper still. The rate is too high.`;
  }
  if (to.loss > from.loss) return `${start}the loss rose ${change}. That was too far: past the bottom, and up the other side.`;
  if (Math.abs(to.slope) < 0.004 * steepest) return `${start}the loss fell ${change}. The slope is nearly 0 here, so steps hardly move it any more.`;
  if (from.slope * to.slope < 0) return `${start}the loss fell ${change}, with a jump to the other side of the valley.`;
  return `${start}the loss fell ${change}.`;
}

function render({ model, el }) {
  const given = model.get("data");
  const { name, places, rates, ends } = given;
  const { parts, x, y, holds } = picture(given);
  const steepest = Math.max(...places.filter(([at]) => at >= ends[0] && at <= ends[1]).map(([, , slope]) => Math.abs(slope)));
  const tangent = drawing("line", { class: "slope", stroke: ORANGE, "stroke-width": 2 });
  const trail = drawing("g", { class: "trail" });
  const ball = drawing("circle", { class: "ball", r: 6.5, fill: ORANGE, stroke: "currentcolor" });
  const chart = drawing("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img" });
  chart.append(...parts, trail, tangent, ball);

  const rate = slider("rate", { min: 0, max: rates.length - 1, value: rates.indexOf(given.rate) },
    (number) => String(rates[number]), () => show());
  const width = ends[1] - ends[0];
  const starts = Array.from({ length: 201 }, (_, number) => ends[0] + (number / 200) * width)
    .filter((value) => Math.abs(value - given.start) > width / 1e6).concat(given.start).sort((a, b) => a - b);
  const start = slider("start", { min: 0, max: starts.length - 1, value: starts.indexOf(given.start) },
    (number) => `${name} = ${short(starts[number])}`, () => begin());
  const step = button("Step", () => go(), { className: "main" });
  const again = button("Start again", () => begin());
  const cells = Array.from({ length: 4 }, () => element("td"));
  const rows = [name, "loss", "slope", "−rate × slope"].map((text, number) =>
    element("tr", {}, element("th", { scope: "row", textContent: text }), cells[number]));
  const said = element("p");
  said.setAttribute("role", "status");
  let [here, count, seen] = [null, 0, []];

  /** Where a place is drawn; what lies outside is drawn at the edge. */
  const point = ({ at, loss }) => [
    Math.min(Math.max(x(at), BOX.left), BOX.right), Math.min(Math.max(y(loss), BOX.top), BOX.bottom),
  ];

  function show() {
    const inside = holds(here);
    const [left, top] = point(here);
    ball.style.transform = `translate(${left}px, ${top}px)`;
    ball.setAttribute("fill-opacity", inside ? 1 : 0);
    const [right, up] = [x(here.at + width) - x(here.at), y(here.loss + here.slope * width) - y(here.loss)];
    const long = 46 / Math.hypot(right, up);
    tangent.setAttribute("visibility", inside ? "visible" : "hidden");
    Object.entries({ x1: left - right * long, y1: top - up * long, x2: left + right * long, y2: top + up * long })
      .forEach(([end, value]) => tangent.setAttribute(end, value));
    const been = seen.slice(-TRAIL).map(point);
    trail.replaceChildren(
      line([...been, [left, top]], { stroke: "currentcolor", "stroke-opacity": 0.5, "stroke-dasharray": "3 3" }),
      ...been.map(([cx, cy]) => drawing("circle", { cx, cy, r: 3, fill: "currentcolor", "fill-opacity": 0.55 })),
    );
    const move = -rates[rate.read()] * here.slope;
    [here.at, here.loss, here.slope, move].forEach((value, number) => {
      cells[number].textContent = (number > 1 && short(value)[0] !== "−" ? "+" : "") + short(value);
    });
    chart.setAttribute("aria-label", `The loss over ${name}. After ${count} steps the ball is at ${name} = ${short(here.at)}, `
      + `${inside ? "" : "outside the picture, "}where the loss is ${short(here.loss)} and the slope ${short(here.slope)}.`);
    choose(model, { ...here, rate: rates[rate.read()], steps: count });
  }
  function begin() {
    [here, count, seen] = [lookUp(places, starts[start.read()]), 0, []];
    step.disabled = false;
    said.textContent = "Press Step. The orange line is the slope; the ball goes the way that it falls.";
    show();
  }
  function go() {
    const next = lookUp(places, here.at - rates[rate.read()] * here.slope);
    count += 1;
    said.textContent = told(count, here, next, steepest, next && holds(next));
    if (next) {
      seen.push(here);
      here = next;
      show();
    } else {
      step.disabled = true;
      again.focus();
    }
  }

  settle(el, "descent", STYLE, element("div", { className: "parts" },
    element("div", {}, chart),
    element("div", {},
      rate.row, start.row, element("div", { className: "buttons" }, step, again),
      element("table", {}, element("tbody", {}, ...rows)), said)));
  begin();
}

export default { render };
