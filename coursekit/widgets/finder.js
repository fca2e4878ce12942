// The learning-rate finder: a rate to be chosen along the curve of a trial. With a kernel, the trial can be made
// again in another range; without one, as on a page, what was measured stays to be looked at.
import { button, choose, element, settle, slider } from "./drawing.js";
import { nearest, short, trialChart } from "./trials.js";

const STYLE = `
  & .stage { max-width: 27rem; }
  & p { margin: 0.4em 0 0; min-height: 2.8em; line-height: 1.4; }
  & .again { display: flex; flex-wrap: wrap; gap: 0.2em 1.2em; align-items: center; margin-top: 0.6em; }
  & .again label { gap: 0.5em; }
  & select { font: inherit; min-height: 2em; }`;
// What a rate may be, in each power of ten: more would be a difference that nobody can see.
const STOPS = [1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 7, 8, 9];
const FROM = [1e-8, 1e-7, 1e-6, 1e-5, 1e-4, 1e-3, 1e-2];
const TO = [0.01, 0.1, 1, 10, 100];
const STEPS = [50, 100, 200, 500];

/** The rates that can be chosen: round ones between the ends of the trial, and the suggestion as it is. */
function roundRates([first, last], suggestion) {
  const low = Math.floor(Math.log10(first));
  const powers = Array.from({ length: Math.ceil(Math.log10(last)) - low + 1 }, (_, number) => low + number);
  const round = powers.flatMap((power) => STOPS.map((stop) => Number(`${stop}e${power}`)));
  return [...new Set([...round.filter((rate) => rate >= first && rate <= last), ...(suggestion ? [suggestion] : [])])]
    .sort((a, b) => a - b);
}

/** What a rate would do, in a sentence, as far as the trial says. */
function told(rate, { means, suggestion, why }) {
  if (suggestion === null) return why;
  const [lowest, least] = means.reduce((best, point) => (point[1] < best[1] ? point : best));
  const here = means.reduce((best, point) => (Math.abs(Math.log(point[0] / rate)) < Math.abs(Math.log(best[0] / rate)) ? point : best))[1];
  const fallen = (means[0][1] - here) / (means[0][1] - least);
  if (rate > lowest) return `Too high: above ${short(lowest)} the loss rises again, since steps this long undo each other.`;
  if (rate > suggestion * 2.5) return `Near the edge: the loss still falls here, and turns at ${short(lowest)}. A whole fit with this rate may be lost.`;
  if (fallen < 0.1) return "Too low: in the whole trial so far the loss has hardly moved. Training would take for ever.";
  if (rate === suggestion) return `The suggestion: a fifth of ${short(lowest)}, where the loss was lowest. It goes down fast, far from the edge.`;
  return `The loss falls here, and turns only at ${short(lowest)}. ${rate > suggestion ? "A bold choice." : "A careful choice."}`;
}

/** A list of numbers to choose one from. */
function list(label, numbers, chosen) {
  const all = numbers.includes(chosen) ? numbers : [...numbers, chosen].sort((a, b) => a - b);
  const select = element("select", {}, ...all.map((number) =>
    element("option", { value: number, textContent: short(number), selected: number === chosen })));
  select.setAttribute("aria-label", label);
  return { select, row: element("label", {}, element("span", { textContent: label }), select) };
}

/** The controls that ask the kernel for another trial, and tell by `say` how far it is. */
function trialControls(model, { start, end, steps }, say) {
  const fields = { start: list("from", FROM, start), end: list("to", TO, end), steps: list("steps", STEPS, steps) };
  const again = button("Try these rates", () => {
    again.disabled = true;
    say("Trying rates …");
    model.send(Object.fromEntries(Object.entries(fields).map(([name, { select }]) => [name, Number(select.value)])));
  });
  const heard = ({ done, of, failed }) => {
    if (done) say(`Trying rates: ${done} of ${of}.`);
    else again.disabled = false;
    if (failed) say(failed);
  };
  model.on("msg:custom", heard);
  return {
    row: element("div", { className: "again" }, ...Object.values(fields).map(({ row }) => row), again),
    forget: () => model.off("msg:custom", heard),
  };
}

function render({ model, el }) {
  const stage = element("div", { className: "stage" });
  const said = element("p");
  const say = (words) => { said.textContent = words; };
  said.setAttribute("role", "status");

  function draw() {
    const given = model.get("data");
    const { losses, means, suggestion } = given;
    const ends = [losses[0][0], losses[losses.length - 1][0]];
    const rates = roundRates(ends, suggestion);
    const least = Math.min(...means.map(([, loss]) => loss));
    const fall = Math.max(means[0][1] - least, 0.05 * Math.abs(means[0][1]));
    const seen = [least - 0.2 * fall, means[0][1] + 0.6 * fall];
    const about = { rates: ends, losses: seen, curves: [means, losses], suggestion, name: "learning rate" };
    const { chart, put } = trialChart(about, (rate) => { mark.write(nearest(rates, rate)); take(); });
    const show = () => { put(rates[mark.read()]); say(told(rates[mark.read()], given)); };
    const take = () => { show(); choose(model, { rate: rates[mark.read()] }); };
    const start = model.get("state").rate || suggestion || rates[Math.floor(rates.length / 2)];
    const mark = slider("learning rate", { min: 0, max: rates.length - 1, value: nearest(rates, start) }, (number) => short(rates[number]), take);
    stage.replaceChildren(mark.row, chart);
    show();
  }

  const { again } = model.get("data");
  const controls = again && model.send ? trialControls(model, again, say) : { row: "", forget() {} };
  settle(el, "finder", STYLE, stage, said, controls.row);
  model.on("change:data", draw);
  draw();
  return () => { controls.forget(); model.off("change:data", draw); };
}

export default { render };
