// Gives every curve of rates on the page a rate to drag. A classic script, as `flipbook.js` is.
// Nothing is trained here: the losses of each run were measured before, and are drawn.
(() => {
  "use strict";
  const STYLE = `
    .coursekit-rate { font-family: var(--sans, inherit); font-size: 0.9em; max-width: 46rem; }
    .coursekit-rate .parts { display: flex; flex-wrap: wrap; gap: 0.4rem 1.2rem; }
    .coursekit-rate .parts > div { flex: 1 1 17rem; min-width: 0; max-width: 26rem; }
    .coursekit-rate .heading { font-weight: 600; }
    .coursekit-rate svg { display: block; width: 100%; height: auto; }
    .coursekit-rate svg.trial { cursor: ew-resize; touch-action: pan-y; }
    .coursekit-rate svg text { font-size: 11px; fill: currentcolor; }
    .coursekit-rate label { display: flex; gap: 0.7em; align-items: center; min-height: 2.2em; }
    .coursekit-rate label > :last-child { min-width: 4.6em; font-variant-numeric: tabular-nums; }
    .coursekit-rate input { flex: 1; min-width: 0; height: 2em; margin: 0; accent-color: var(--blue, #0072b2); }
    .coursekit-rate p { margin: 0.4em 0 0; min-height: 2.8em; line-height: 1.4; }`;
  const [WIDTH, HEIGHT] = [340, 220];
  const BOX = { left: 34, right: WIDTH - 10, top: 8, bottom: HEIGHT - 38 };
  const BLUE = "var(--blue, #0072b2)";
  const ORANGE = "var(--orange, #d55e00)";

  const element = (kind, about = {}, ...children) => {
    const made = Object.assign(document.createElement(kind), about);
    made.append(...children);
    return made;
  };
  const drawing = (kind, about, text = "") => {
    const made = document.createElementNS("http://www.w3.org/2000/svg", kind);
    Object.entries(about).forEach(([name, value]) => made.setAttribute(name, value));
    made.textContent = text;
    return made;
  };
  const written = (value) => String(Number(value.toPrecision(2)));
  const line = (points, about) => drawing("path", {
    d: `M${points.map(([x, y]) => `${x.toFixed(1)},${y.toFixed(1)}`).join("L")}`,
    fill: "none", "stroke-linejoin": "round", ...about,
  });

  /** Axes of a chart: a height for each loss, and marks along the bottom. */
  function axes(highest, marks, name) {
    const plain = { stroke: "currentcolor", "stroke-opacity": 0.45 };
    const y = (loss) => Math.max(BOX.bottom - (loss / highest) * (BOX.bottom - BOX.top), BOX.top);
    const step = [0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100].find((one) => highest / one <= 5) || highest / 4;
    const heights = Array.from({ length: Math.floor(highest / step + 1e-9) + 1 }, (_, number) => number * step);
    return { y, parts: [
      drawing("path", { d: `M${BOX.left},${BOX.top}V${BOX.bottom}H${BOX.right}`, fill: "none", ...plain }),
      ...heights.map((value) => drawing("text", { x: BOX.left - 5, y: y(value) + 4, "text-anchor": "end" }, written(value))),
      ...marks.flatMap(({ x, text }) => [
        drawing("line", { x1: x, x2: x, y1: BOX.bottom, y2: BOX.bottom + 4, ...plain }),
        drawing("text", { x, y: BOX.bottom + 16, "text-anchor": "middle" }, text),
      ]),
      drawing("text", { x: (BOX.left + BOX.right) / 2, y: HEIGHT - 5, "text-anchor": "middle" }, name),
      drawing("text", { x: BOX.left + 6, y: BOX.top + 8 }, "loss"),
    ] };
  }

  /** What became of a run, in a sentence. */
  function told({ rate, losses, lost }, { runs, suggestion }) {
    const [first, last] = [losses[0], losses[losses.length - 1]];
    const ends = runs.filter((run) => !run.lost).map((run) => run.losses[run.losses.length - 1]);
    const best = Math.min(...ends);
    const high = suggestion !== null && rate > suggestion;
    const fell = `The loss went from ${first.toFixed(2)} to ${last.toFixed(2)}`;
    if (lost) return "The loss became no number: this rate is far too high, and the model is lost.";
    if (last > 0.9 * first) return `${fell}: nothing was learned. ${high ? "The steps were so long that the model was spoiled." : "The steps were too short to lead anywhere."}`;
    if (last <= best + 0.05 * first) return `${fell}. ${last === best ? "No other run came so low." : "That is about as low as any."}`;
    return `${fell}. It learns, ${high ? "but steps this long throw it about." : "but slowly: it would need much longer."}`;
  }

  function open(box) {
    box.dataset.open = "";
    const given = JSON.parse(box.querySelector("script").textContent);
    const { trial, runs, suggestion, batches } = given;
    const rates = [...trial.map(([rate]) => rate), ...runs.map(({ rate }) => rate)];
    const [low, high] = [Math.log10(Math.min(...rates)), Math.log10(Math.max(...rates))];
    const across = (rate) => BOX.left + ((Math.log10(rate) - low) / (high - low)) * (BOX.right - BOX.left);
    const powers = [];
    for (let power = Math.ceil(low - 1e-9); power <= high + 1e-9; power += high - low > 5 ? 2 : 1) {
      powers.push({ x: across(10 ** power), text: power > -4 && power < 3 ? String(Number((10 ** power).toFixed(3))) : `1e${power}`.replace("-", "−") });
    }
    const highest = 1.4 * Math.max(trial[0][1], ...runs.map(({ losses }) => losses[0]));

    const ofTrial = axes(highest, powers, "learning rate, in the trial");
    const chart = drawing("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", class: "trial" });
    const handle = drawing("g", { class: "handle" });
    chart.append(...ofTrial.parts, line(trial.map(([rate, loss]) => [across(rate), ofTrial.y(loss)]), { stroke: BLUE, "stroke-width": 2.5 }));
    if (suggestion !== null) {
      chart.append(line([[across(suggestion), BOX.top], [across(suggestion), BOX.bottom]], { stroke: "currentcolor", "stroke-dasharray": "4 3" }));
    }
    chart.append(handle);

    const ofRuns = axes(highest, [{ x: BOX.left, text: "0" }, { x: BOX.right, text: String(batches) }], "batch, in training with one rate");
    const along = ({ losses, batches: measured }) => losses.map((loss, number) => [
      BOX.left + ((number * (measured - 1)) / Math.max(losses.length - 1, 1) / Math.max(batches - 1, 1)) * (BOX.right - BOX.left),
      ofRuns.y(loss),
    ]);
    const result = drawing("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", class: "run" });
    const chosen = drawing("g", { class: "chosen" });
    result.append(...ofRuns.parts, ...runs.map((run) => line(along(run), { stroke: "currentcolor", "stroke-opacity": 0.22 })), chosen);

    const nearest = (rate) => runs.reduce((best, run, number) => (
      Math.abs(Math.log(run.rate / rate)) < Math.abs(Math.log(runs[best].rate / rate)) ? number : best), 0);
    const slider = element("input", { type: "range", min: 0, max: runs.length - 1, step: 1, value: 0 });
    const shown = element("span");
    const said = element("p");
    slider.setAttribute("aria-label", "learning rate");
    shown.setAttribute("aria-hidden", "true"); // the control itself says its value
    said.setAttribute("role", "status");

    function show() {
      const run = runs[slider.value];
      const text = written(run.rate);
      const x = across(run.rate);
      shown.textContent = text;
      slider.setAttribute("aria-valuetext", text);
      handle.replaceChildren(
        line([[x, BOX.top], [x, BOX.bottom]], { stroke: ORANGE, "stroke-width": 2.5 }),
        drawing("circle", { cx: x, cy: BOX.bottom, r: 7, fill: ORANGE, stroke: "currentcolor" }),
      );
      chosen.replaceChildren(line(along(run), { stroke: ORANGE, "stroke-width": 2.5 }));
      said.textContent = told(run, given);
      chart.setAttribute("aria-label", `The loss of a trial over the rate. The mark stands at ${text}${suggestion === null ? "" : `, the suggestion is ${written(suggestion)}`}.`);
      result.setAttribute("aria-label", `The loss in training with the rate ${text}, among the other runs. ${said.textContent}`);
    }
    function drag(event) {
      const { left, width } = chart.getBoundingClientRect();
      const x = ((event.clientX - left) / width) * WIDTH;
      slider.value = nearest(10 ** (low + ((x - BOX.left) / (BOX.right - BOX.left)) * (high - low)));
      show();
    }
    slider.addEventListener("input", show);
    chart.addEventListener("pointerdown", (event) => { chart.setPointerCapture(event.pointerId); drag(event); });
    chart.addEventListener("pointermove", (event) => { if (event.buttons) drag(event); });

    box.querySelector("img").remove();
    // A notebook would take the arrow keys for itself, to go from cell to cell.
    box.addEventListener("keydown", (event) => event.stopPropagation());
    box.append(
      element("style", { textContent: STYLE }),
      element("label", {}, element("span", { textContent: "learning rate" }), slider, shown),
      element("div", { className: "parts" }, element("div", {}, chart), element("div", {}, result)),
      said,
    );
    show();
  }

  document.querySelectorAll(".coursekit-rate:not([data-open])").forEach(open);
})();
