// A field to draw a digit in, and what a network makes of it, here in the page: nothing that is drawn leaves it.

import { bytesAt, decoded, near } from "./bytes.js";
import { button, choose, drawing, element, settle } from "./drawing.js";
import { SIDE, fitted, show } from "./ink.js";
import { halves, scoresOf } from "./network.js";
import { softmax } from "./probabilities.js";

const STYLE = `
  container-type: inline-size; font-size: 0.95rem;
  & .pad { display: grid; gap: 0.6rem 0.7rem; min-height: 34rem; align-content: start;
    grid-template: "field side" auto "bars bars" auto "words words" auto / min(17rem, 100cqi - 5.4rem) minmax(0, 1fr); }
  & .field { grid-area: field; align-self: start; position: relative; aspect-ratio: 1; box-sizing: border-box; overflow: hidden;
    background: var(--raised, transparent); border: 1px solid var(--line, color-mix(in srgb, currentcolor 35%, transparent)); border-radius: 0.8rem;
    box-shadow: inset 0 1px 5px rgb(0 0 0 / 7%); cursor: crosshair; touch-action: none; user-select: none; -webkit-user-select: none; }
  & .field svg { height: 100%; }
  & .field .ink { fill: none; stroke: currentcolor; stroke-width: 5.6; stroke-linecap: round; stroke-linejoin: round; }
  & .field p { position: absolute; left: 0.5rem; right: 0.5rem; bottom: 0.55rem; margin: 0; text-align: center; line-height: 1.35;
    color: var(--quiet, inherit); pointer-events: none; }
  & .field .keys { font-size: 0.82em; }
  & .field .keys, & .field .pen, & .field:is(.keyed, :focus-visible) .hint { visibility: hidden; }
  & .field:is(.keyed, :focus-visible) :is(.keys, .pen) { visibility: visible; }
  & .pen { fill: transparent; stroke: var(--blue, #0072b2); stroke-width: 1.2; }
  & .pen.down { fill: var(--blue, #0072b2); }
  & .side { grid-area: side; display: flex; flex-direction: column; align-items: center; justify-content: space-between; gap: 0.4rem; }
  & p, & figure, & .buttons { margin: 0; }
  & .answer { text-align: center; line-height: 1; }
  & .answer span { display: block; min-height: 1.2em; font-variant-numeric: lining-nums tabular-nums; }
  & .answer .digit { min-height: 1em; font: 700 3.9rem/1 var(--serif, serif); color: var(--blue, #0072b2); }
  & .answer.unsure .digit { color: var(--quiet, inherit); }
  & .seen canvas { display: block; width: 70px; height: 70px; margin: 0 auto 0.25rem; image-rendering: pixelated; background: #000; border-radius: 5px; }
  & .seen figcaption { margin: 0; padding: 0; border: 0; font: inherit; font-size: 0.8em; line-height: 1.25; text-align: center; color: var(--quiet, inherit); }
  & .buttons { flex-direction: column; align-self: stretch; gap: 0.35rem; }
  & button { padding: 0.3em; border-color: var(--line, currentcolor); background: var(--raised, transparent); }
  & button:not(:disabled):hover { border-color: currentcolor; }
  & button:disabled { color: var(--quiet, inherit); }
  & .bars { grid-area: bars; display: grid; grid-template-columns: repeat(10, 1fr); height: 5rem; }
  & .bars div { display: flex; flex-direction: column; align-items: center; line-height: 1.5; font-variant-numeric: lining-nums; }
  & .bars i { flex: 1; width: 62%; max-width: 1.6rem; position: relative; overflow: hidden; border-radius: 0.3rem; background: color-mix(in srgb, currentcolor 8%, transparent); }
  & .bars i::after { content: ""; position: absolute; inset: 0; transform: translateY(calc(100% * (1 - var(--share, 0)))); transition: transform 0.18s ease-out;
    background: color-mix(in srgb, currentcolor 45%, transparent); }
  & .bars .most { font-weight: 700; }
  & .bars .most i::after { background: var(--blue, #0072b2); }
  & .words { grid-area: words; }
  & .said { min-height: 1.5em; font-weight: 600; }
  & .samples { display: flex; flex-wrap: wrap; gap: 0.25rem; margin: 0 0 0.5rem; }
  & .samples legend { float: left; width: 100%; font-weight: 400; margin-bottom: 0.2rem; }
  & .samples button { flex: 1 1 1.5rem; max-width: 2.3rem; padding: 0; line-height: 0; overflow: hidden; border-radius: 5px; background: #000; }
  & .samples canvas { width: 100%; aspect-ratio: 1; image-rendering: pixelated; }
  & .about { font-size: 0.86em; line-height: 1.4; color: var(--quiet, inherit); }
  @container (width < 20.5rem) {
    & .seen figcaption { display: none; }
    & .answer .digit { font-size: 3.2rem; }
  }
  @container (width >= 33rem) {
    & .pad { gap: 0.8rem 1.6rem; min-height: 26.5rem;
      grid-template: "field side" auto "field bars" 1fr "words words" auto / 17rem minmax(0, 1fr); }
    & .side { flex-direction: row; justify-content: flex-start; gap: 1.6rem; }
    & .answer { min-width: 4.4rem; }
    & .answer .digit { font-size: 5rem; }
    & .buttons { flex: 1; max-width: 7rem; margin-left: auto; }
    & .seen canvas { width: 84px; height: 84px; }
    & .bars { height: auto; }
  }
  @media (prefers-reduced-motion: reduce) { & .bars i::after { transition: none; } }`;
const FIELD = 100; // So many units is the field wide and high,
const SMALLEST = 3; // what is smaller is no digit yet,
const STEP = 4; // and so far goes the pen by an arrow key.
const SURE = 0.7;
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const HELP = "Arrow keys move the pen. Space puts it down and lifts it. Backspace takes a line back, Delete all.";
const percent = (share) => `${share > 0.995 && share < 1 ? "99" : Math.round(100 * share)} %`;

/** A picture in the field, in the colour of its ink: one path for each of ten strengths, as hundreds of squares take long. */
function dots(ink) {
  const [size, paths] = [FIELD / SIDE, Array.from({ length: 11 }, () => "")];
  ink.forEach((value, at) => {
    paths[Math.round(10 * value)] += `M${(at % SIDE) * size} ${Math.floor(at / SIDE) * size}h${size}v${size}h${-size}z`;
  });
  return paths.flatMap((d, strength) => (d && strength ? [drawing("path", { d, "fill-opacity": strength / 10 })] : []));
}

/** Lines as they are drawn: round from the middle of one step to the middle of the next. */
const curves = (lines) => lines.map((places) => {
  const point = ([x, y]) => `${x.toFixed(1)},${y.toFixed(1)}`;
  const between = places.slice(1, -1).map((place, at) =>
    `Q${point(place)} ${point([0, 1].map((axis) => (place[axis] + places[at + 2][axis]) / 2))}`);
  return `M${point(places[0])}${between.join("")}L${point(places[places.length - 1])}`;
}).join("");

const aDigit = (number) => `${number === 8 ? "an" : "a"} ${number}`;
const ordered = (chances) => chances.map((share, digit) => [share, digit]).sort(([one], [other]) => other - one);

/** The most probable digit, whether the network is sure of it, and both in a sentence. */
function told(chances) {
  const [[share, digit], [next, other]] = ordered(chances);
  if (share < SURE) return { digit, sure: false, text: `Not sure: ${aDigit(digit)} (${percent(share)}) or ${aDigit(other)} (${percent(next)})?` };
  return { digit, sure: true, text: `The network reads ${aDigit(digit)}${share < 0.95 ? `, or perhaps ${aDigit(other)}` : ""}.` };
}

/** A pen for mouse, finger and keys: calls back with each new line, each new place of it, and when it ends. */
function penOn(field, pen, { begin, go, end }) {
  let [pointer, keyed, [x, y], held] = [null, false, [FIELD / 2, FIELD / 5], new Set()];
  const inside = (value) => Math.min(Math.max(value, 0), FIELD);
  function place([right, down]) {
    [x, y] = [inside(right), inside(down)];
    pen.setAttribute("cx", x);
    pen.setAttribute("cy", y);
    return [x, y];
  }
  function at({ clientX, clientY }) {
    const { left, top, width, height } = field.getBoundingClientRect();
    return place([((clientX - left) / width) * FIELD, ((clientY - top) / height) * FIELD]);
  }
  function lift() {
    if (!keyed) return;
    keyed = false;
    pen.classList.remove("down");
    end();
  }
  field.addEventListener("pointerdown", (event) => {
    if (event.button || pointer !== null) return;
    lift();
    field.classList.remove("keyed");
    pointer = event.pointerId;
    field.setPointerCapture(pointer);
    begin(at(event));
  });
  field.addEventListener("pointermove", (event) => {
    if (event.pointerId !== pointer) return;
    // A browser hands over once for each picture on the screen; a quick hand has been to several places by then.
    for (const one of event.getCoalescedEvents?.() ?? []) go(at(one));
    go(at(event));
  });
  for (const kind of ["pointerup", "pointercancel"]) {
    field.addEventListener(kind, (event) => {
      if (event.pointerId !== pointer) return;
      pointer = null;
      end();
    });
  }
  field.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || !(event.key === " " || event.key in ARROWS)) return;
    event.preventDefault(); // The page would scroll.
    field.classList.add("keyed");
    if (event.key === " ") {
      if (keyed) return lift();
      keyed = true;
      pen.classList.add("down");
      begin([x, y]);
    } else {
      held.add(event.key); // Two at once lead aslant.
      const way = [...held].map((key) => ARROWS[key]);
      const [right, down] = [0, 1].map((axis) => way.reduce((sum, one) => sum + one[axis], 0) * STEP);
      place([x + right, y + down]);
      if (keyed) go([x, y]);
    }
  });
  field.addEventListener("keyup", ({ key }) => held.delete(key));
  field.addEventListener("blur", () => { held = new Set(); lift(); });
  place([x, y]);
  return { lift };
}

/** A chart of ten probabilities, and the most probable digit at large; `tell` shows others. */
function answerOf() {
  const [digit, share] = ["digit", "share"].map((className) => element("span", { className }));
  const answer = element("p", { className: "answer", ariaHidden: "true" }, digit, share); // The bars say it all.
  const columns = Array.from({ length: 10 }, (_, number) => element("div", {}, element("i"), String(number)));
  const bars = element("div", { className: "bars", role: "img" });
  bars.append(...columns);
  return { answer, bars, tell(chances) {
    const { digit: most, sure } = chances ? told(chances) : {};
    digit.textContent = most ?? "";
    share.textContent = chances ? percent(chances[most]) : "";
    answer.classList.toggle("unsure", !sure);
    columns.forEach((column, number) => {
      column.classList.toggle("most", number === most);
      column.firstChild.style.setProperty("--share", chances ? chances[number].toFixed(3) : 0);
    });
    const worth = chances ? ordered(chances).filter(([value]) => value >= 0.005) : [];
    bars.ariaLabel = `How probable each digit is: ${worth.map(([value, number]) => `${number}: ${percent(value)}`).join(", ") || "nothing to read yet"}`;
  } };
}

function render({ model, el }) {
  const { layers, weights: address, samples, first, about } = model.get("data");
  let [lines, picture, weights, waiting] = [[], null, null, 0];
  const [ink, shown, dot] = [drawing("path", { class: "ink" }), drawing("g", { transform: "translate(7 2) scale(0.86)", "shape-rendering": "crispEdges" }), drawing("circle", { class: "pen", r: 2.8 })];
  const chart = drawing("svg", { viewBox: `0 0 ${FIELD} ${FIELD}`, "aria-hidden": "true" });
  chart.append(shown, ink, dot);
  const hint = element("p", { className: "hint", textContent: "Draw a digit" });
  const keys = element("p", { className: "keys", textContent: HELP, ariaHidden: "true" });
  const field = element("div", { className: "field", tabIndex: 0, role: "application", ariaLabel: `A field to draw in. ${HELP}` }, chart, hint, keys);
  const canvas = element("canvas", { role: "img" });
  const said = element("p", { className: "said", role: "status" });
  const { answer, bars, tell } = answerOf();
  const read = () => (picture && weights ? softmax(scoresOf(layers, weights, picture, [1, SIDE, SIDE])) : null);

  /** Hand a picture to the network, and show what it says. */
  function see(now, chances) {
    picture = now;
    show(canvas, picture ?? new Float32Array(SIDE * SIDE));
    canvas.ariaLabel = picture ? "What the network sees: 28 by 28 pixels, white on black" : "The network sees nothing yet";
    [back.disabled, clear.disabled] = [!lines.length, !lines.length && !picture];
    hint.textContent = lines.length ? "" : picture ? "Now draw one yourself" : "Draw a digit";
    const found = chances ?? read();
    tell(found);
    return found;
  }
  function look() {
    waiting = 0;
    ink.setAttribute("d", curves(lines));
    shown.replaceChildren();
    return see(lines.length ? fitted(lines, SMALLEST) : null);
  }
  /** What was drawn or chosen is complete: say it in words, and let Python know. */
  function conclude(chances, before = "") {
    said.textContent = chances ? before + told(chances).text : picture ? "The network is still on its way."
      : lines.length ? "That is very small: draw on." : "Draw with mouse, finger, pen or arrow keys.";
    choose(model, { picture: picture && Array.from(picture, (value) => Math.round(255 * value)), chances });
  }
  let again = () => {}; // what is said once more when the network has come
  function finish() {
    again = finish;
    cancelAnimationFrame(waiting);
    conclude(look());
  }
  const pen = penOn(field, dot, {
    begin(place) { lines.push([place]); again = finish; look(); },
    go(place) {
      lines[lines.length - 1].push(place);
      waiting ||= requestAnimationFrame(look); // Once for each picture on the screen is enough.
    },
    end: finish,
  });
  const wipe = () => { pen.lift(); lines = []; finish(); };
  const undo = () => { pen.lift(); lines.pop(); finish(); };
  const [clear, back] = [button("Clear", wipe, { className: "main" }), button("Undo", undo)];
  field.addEventListener("keydown", ({ key }) => ({ Backspace: undo, Delete: wipe, Escape: wipe })[key]?.());

  /** Put a whole picture into the field, in place of lines. */
  function put(whole, chances) {
    lines = [];
    ink.setAttribute("d", "");
    shown.replaceChildren(...dots(whole));
    return see(whole, chances);
  }
  const written = samples.map((sample) => Float32Array.from(decoded(sample), (value) => value / 255));
  const choices = written.map((sample, number) => {
    const small = element("canvas");
    show(small, sample);
    const pick = () => { again = pick; conclude(put(sample), `Meant as ${aDigit(number)}. `); };
    const choice = button("", pick, { ariaLabel: `${aDigit(number)} that somebody wrote` });
    choice.append(small);
    return choice;
  });

  settle(el, "digit", STYLE, element("div", { className: "pad" },
    field,
    element("div", { className: "side" }, answer,
      element("figure", { className: "seen" }, canvas, element("figcaption", { textContent: "what the network sees" })),
      element("div", { className: "buttons" }, clear, back)),
    bars,
    element("div", { className: "words" }, said,
      element("fieldset", { className: "samples" }, element("legend", { textContent: "Or show it one that somebody wrote:" }), ...choices),
      element("p", { className: "about", textContent: about }))));
  const kept = model.get("state");
  const begun = kept.chances ? put(Float32Array.from(kept.picture, (value) => value / 255), kept.chances) : put(written[first.digit], first.chances);
  said.textContent = told(begun).text;
  near(el).then(() => bytesAt(address)).then((bytes) => {
    weights = halves(bytes);
    again();
  }, () => { said.textContent = "The network could not be loaded: its file is missing beside this page."; });
}

export default { render };
