// A rate to be dragged along the curve of a trial.
// Nothing is trained here: the losses of each run were measured before, and are drawn.
import { ORANGE, choose, drawing, element, line, settle, slider } from "./drawing.js";
import { BOX, HEIGHT, WIDTH, axes, nearest, short, trialChart } from "./trials.js";

const STYLE = `
  & .parts { gap: 0.4rem 1.2rem; }
  & .parts > div { flex-basis: 17rem; max-width: 26rem; }
  & p { margin: 0.4em 0 0; min-height: 2.8em; line-height: 1.4; }`;

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

function render({ model, el }) {
  const given = model.get("data");
  const { trial, runs, suggestion, batches } = given;
  const rates = runs.map(({ rate }) => rate);
  const losses = [0, 1.4 * Math.max(trial[0][1], ...runs.map((run) => run.losses[0]))];
  const all = [...trial.map(([rate]) => rate), ...rates];
  const about = { rates: all, losses, curves: [trial], suggestion, name: "learning rate, in the trial" };
  const { chart, put } = trialChart(about, (rate) => { mark.write(nearest(rates, rate)); show(); });

  const ends = [{ x: BOX.left, text: "0" }, { x: BOX.right, text: String(batches) }];
  const { y, parts } = axes(losses, ends, "batch, in training with one rate");
  const along = (run) => run.losses.map((loss, number) => [
    BOX.left + ((number * (run.batches - 1)) / Math.max(run.losses.length - 1, 1) / Math.max(batches - 1, 1)) * (BOX.right - BOX.left),
    y(loss),
  ]);
  const result = drawing("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", class: "run" });
  const chosen = drawing("g", { class: "chosen" });
  result.append(...parts, ...runs.map((run) => line(along(run), { stroke: "currentcolor", "stroke-opacity": 0.22 })), chosen);

  const start = nearest(rates, model.get("state").rate || rates[0]);
  const mark = slider("learning rate", { min: 0, max: runs.length - 1, value: start }, (number) => short(rates[number]), () => show());
  const said = element("p");
  said.setAttribute("role", "status");

  function show() {
    const run = runs[mark.read()];
    put(run.rate);
    chosen.replaceChildren(line(along(run), { stroke: ORANGE, "stroke-width": 2.5 }));
    said.textContent = told(run, given);
    result.setAttribute("aria-label", `The loss in training with the rate ${short(run.rate)}, among the other runs. ${said.textContent}`);
    choose(model, { rate: run.rate });
  }

  settle(el, "rate", STYLE, mark.row,
    element("div", { className: "parts" }, element("div", {}, chart), element("div", {}, result)), said);
  show();
}

export default { render };
