// The studio: from photos to a model without a line of code. What is known and done lies in the kernel, which
// sends all that is to be seen; what is pressed here goes there as a message.
import { BLUE, ORANGE, THIN, button, drawing, element, line, settle, ticks, written } from "./drawing.js";
import { SHEET, counted, keyed, ownKeys, percent, pictures, renew, selection } from "./gallery.js";
import { LOOKS, list, lookingThrough } from "./looking_through.js";

const NAMES = { choose: "Photos", look: "Look", train: "Train", mistakes: "Mistakes", try: "Try", export: "Export" };
const HEADS = {
  choose: "Which photos?", look: "What there is", train: "Train a model", mistakes: "Where it is wrong, and wrong labels",
  try: "Try it on a photo", export: "Take it with you",
};
const LATER = { look: "after photos are chosen", train: "after photos are chosen", mistakes: "after training", try: "after training", export: "after training" };
// A notebook's messages are limited to some megabytes, so photos travel in pieces of one.
const [PIECE, MOST_BYTES] = [1_000_000, 50_000_000];
const BOX = { width: 560, height: 220, left: 40, right: 536, top: 10, bottom: 188 };

const LOOK = `
  & nav ol { display: flex; flex-wrap: wrap; gap: 0.3rem; margin: 0 0 0.9rem; counter-reset: step; }
  & nav li { counter-increment: step; }
  & nav :is(button, span)::before { content: counter(step) " "; opacity: 0.8; }
  & nav span { display: inline-block; padding: 0.4em 0.9em; opacity: 0.75; }
  & nav button[aria-current] { color: #fff; background: #00578a; border-color: #00578a; }
  & .panel { min-height: 12rem; }
  & .folders { display: flex; flex-wrap: wrap; gap: 0.35rem; max-height: 14rem; margin: 0.4rem 0; padding: 3px; overflow: auto; }
  & .path { flex: 1 1 18rem; }
  & .path input { width: 100%; }
  & .kind { margin: 0.9rem 0; }
  & .bar { height: 0.5rem; margin: 0.2rem 0 0.4rem; background: #0072b2; border-radius: 0.25rem; min-width: 2px; }
  & .samples { display: flex; flex-wrap: wrap; gap: 0.3rem; }
  & .samples img { width: 5.6rem; height: 5.6rem; border-radius: 0.2rem; }
  & progress { width: min(100%, 24rem); accent-color: #0072b2; }
  & .plot { max-width: 40rem; }
  & .runs label { align-items: start; padding: 0.3em 0; }
  & .tried > li { display: flex; flex-wrap: wrap; gap: 0.8rem; margin: 0.8rem 0; }
  & .tried > li > div { flex: 1 1 14rem; }
  & .tried img { width: 9rem; height: 9rem; border-radius: 0.3rem; }
  & .drop { padding: 1rem; border: 2px dashed color-mix(in srgb, currentcolor 45%, transparent); border-radius: 0.5rem; }
  & .drop.over { border-color: var(--blue, #0072b2); }
  & .way { margin: 0.7rem 0; align-items: center; }
  & code { overflow-wrap: anywhere; }
  @media (max-width: 30rem) { & .samples img { width: 4.2rem; height: 4.2rem; } }`;

// Choosing ----------------------------------------------------------------------------------------------------

function choosing(act) {
  const path = element("input", { type: "text", spellcheck: false, autocomplete: "off" });
  const form = element("form", { className: "row" },
    element("label", { className: "path" }, element("span", { textContent: "Folder on the computer that runs this notebook" }), path),
    button("Take this folder", () => act({ do: "choose", folder: path.value }), { className: "main" }),
    element("button", { type: "submit", textContent: "Show what is in it" }));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    act({ do: "go", to: path.value });
  });
  const [folders, sets] = [element("div"), element("div")];
  let place = null;
  return {
    parts: [
      element("p", { textContent: "Put your photos into folders, one folder for each kind, named after the kind: fruit/ripe, fruit/raw. Then take the folder that holds these folders. Your photos are only read: nothing is changed or deleted." }),
      form, folders, sets,
    ],
    update({ choose: seen }) {
      if (place !== seen.place) path.value = place = seen.place;
      renew(folders, [seen.above, seen.folders, seen.more, seen.photos], () => {
        const up = seen.above ? [keyed("..", button("↑ one folder up", () => act({ do: "go", to: seen.above })))] : [];
        const deeper = seen.folders.map((name) => keyed(name, button(name, () => act({ do: "go", to: name }))));
        const items = [...up, ...deeper].map((one) => element("li", {}, one));
        const photos = seen.photos ? `${counted(seen.photos, "photo")} directly in it. ` : "";
        const more = seen.more ? `${seen.more} more folders are not shown: type the path. ` : "";
        return [
          element("p", { className: "quiet", textContent: `In it: ${counted(seen.folders.length + seen.more, "folder")}. ${photos}${more}` }),
          element("ul", { className: "folders", ariaLabel: "Folders" }, ...items),
        ];
      });
      renew(sets, [seen.sets, seen.known], () => [
        ...(seen.known.length ? [element("h4", { textContent: "Go on with" })] : []),
        element("div", { className: "buttons" }, ...seen.known.map(([source, name]) =>
          keyed(source, button(name, () => act(seen.sets.some(([one]) => one === source) ? { do: "choose", set: source } : { do: "choose", folder: source }))))),
        element("h4", { textContent: "Or photos of the course" }),
        element("div", { className: "buttons" }, ...seen.sets.map(([name, title]) => keyed(name, button(title, () => act({ do: "choose", set: name }))))),
      ]);
    },
  };
}

// Looking -----------------------------------------------------------------------------------------------------

function looking(act, images) {
  const box = element("div");
  const arrange = (now) => element("fieldset", {}, element("legend", { textContent: "What names the kind of a photo?" }),
    ...[["first", "the first folder"], ["last", "the folder it lies in"]].map(([value, text]) => {
      const input = keyed(value, element("input", { type: "radio", name: "arrangement", value, checked: value === now }));
      input.addEventListener("change", () => act({ do: "arrange", to: value }));
      return element("label", {}, input, text);
    }));
  // Checked when the kernel has said that it can be: not every folder has such names.
  const group = (groups) => {
    const input = keyed("together", element("input", { type: "checkbox", checked: Boolean(groups) }));
    input.addEventListener("change", () => {
      act({ do: "group", together: input.checked });
      input.checked = Boolean(groups);
    });
    return element("label", {}, input, "Photos whose names differ only in a number at the end, like cow7_1 and cow7_2, belong together");
  };
  const kind = ({ name, count, samples }, most) => element("li", { className: "kind" },
    element("div", {}, element("strong", { textContent: name }), `: ${counted(count, "photo")}`),
    element("div", { className: "bar", style: `width: ${(100 * count) / most}%` }),
    element("div", { className: "samples" }, ...samples.map((file) => images.image(file, `A photo of kind ${name}: ${file.split(/[\\/]/).pop()}`, 90))));
  // Changes may leave nothing to tell apart before there is a model to look at: the way back is here too.
  const changed = (seen, short) => element("details", { open: Boolean(short) },
    element("summary", { textContent: "Changes to labels" }),
    element("div", { className: "buttons" }, keyed("aside", button("Set this list aside and begin a new one", () => act({ do: "aside" })))),
    element("p", { className: "quiet", textContent: "The list that you set aside stays, as a file beside the notebook." }),
    ...list(seen, act));
  return {
    parts: [box],
    update({ look: seen }) {
      if (seen) renew(box, [seen, images.from], () => {
        const out = seen["left out"];
        const learned = ` The model learns from ${seen.learned}; the others are held out, so that it is judged on photos it has never seen.`;
        return [
          element("p", { textContent: `${counted(seen.count, "photo")} of ${counted(seen.kinds.length, "kind")}.${seen.short ? "" : learned}` }),
          ...(seen.short ? [element("p", { className: "stop", textContent: seen.short })] : []),
          ...(seen.changes.changes.length ? [changed(seen.changes, seen.short)] : []),
          ...seen.notes.map(({ text, weight }) => element("p", { className: weight, textContent: text })),
          ...(out.length ? [element("details", {}, element("summary", { textContent: `Left out: ${counted(out.length, "photo")}` }),
            element("ul", {}, ...out.map(([name, why]) => element("li", { textContent: `${name}: ${why}.` }))))] : []),
          ...(seen["may choose"] ? [arrange(seen.arrangement)] : []),
          element("p", { className: "quiet", textContent: "Are there photos that belong together, of one animal, one place, one minute? Held out by chance, some of them are on both sides, and the score will be too good, as lesson 1 shows." }),
          ...(seen["may group"] ? [group(seen.groups)] : []),
          ...(seen.groups ? [element("p", { textContent: `${counted(seen.groups[0], "group")}; the largest is ${seen.groups[1]} with ${counted(seen.groups[2], "photo")}. A group is learned from or held out as a whole.` })] : []),
          element("div", { className: "buttons" }, ...(seen.short ? [] : [keyed("on", button("Go on to training", () => act({ do: "step", to: "train" }), { className: "main" }))]),
            keyed("again", button("Look again", () => act({ do: "look" }), { title: "After you added or replaced photos" }))),
          element("ul", {}, ...seen.kinds.map((one) => kind(one, seen.kinds[0].count))),
        ];
      });
    },
  };
}

// Training ----------------------------------------------------------------------------------------------------

/** The losses so far as a drawing, and in words. */
function plot({ batches, losses, rows }) {
  const chart = drawing("svg", { viewBox: `0 0 ${BOX.width} ${BOX.height}`, role: "img" });
  const highest = 1.25 * Math.max(0.1, ...losses.map(([, loss]) => loss), ...rows.map(([, loss]) => loss));
  const x = (batch) => BOX.left + (batch / Math.max(batches, 1)) * (BOX.right - BOX.left);
  const y = (loss) => BOX.bottom - (loss / highest) * (BOX.bottom - BOX.top);
  const [last, held] = [losses[losses.length - 1], rows[rows.length - 1]];
  chart.setAttribute("aria-label", last
    ? `Loss of training after ${last[0]} of ${batches} batches: ${written(last[1], 2)}, at first ${written(losses[0][1], 2)}.${held ? ` On held-out photos ${written(held[1], 2)}, and ${percent(held[2])} named right.` : ""}`
    : "Nothing to draw yet.");
  chart.append(
    drawing("path", { d: `M${BOX.left},${BOX.top}V${BOX.bottom}H${BOX.right}`, fill: "none", ...THIN }),
    ...ticks(0, highest).map(({ value, text }) => drawing("text", { x: BOX.left - 5, y: y(value) + 4, "text-anchor": "end" }, text)),
    drawing("text", { x: BOX.right, y: BOX.height - 12, "text-anchor": "end" }, `${batches} batches`),
    drawing("text", { x: BOX.left + 120, y: BOX.top + 8 }, "loss while learning"),
    drawing("path", { d: `M${BOX.left + 96},${BOX.top + 4}h18`, stroke: BLUE, "stroke-width": 1.6 }),
    drawing("text", { x: BOX.left + 254, y: BOX.top + 8 }, "loss on held-out photos, and share named right"),
    drawing("circle", { cx: BOX.left + 244, cy: BOX.top + 4, r: 4.5, fill: ORANGE }));
  if (losses.length > 1) chart.append(line(losses.map(([batch, loss]) => [x(batch), y(loss)]), { stroke: BLUE, "stroke-width": 1.6 }));
  rows.forEach(([batch, loss, right]) => chart.append(
    drawing("circle", { cx: x(batch), cy: y(loss), r: 4.5, fill: ORANGE }),
    drawing("text", { x: x(batch), y: y(loss) - 9, "text-anchor": "middle" }, percent(right))));
  return chart;
}

function training(act, images, group) {
  const wanted = {};
  const [form, live, runs] = [element("div"), element("div", { className: "plot" }), element("div", { className: "runs" })];
  const [go, halt] = [button("Train", () => act({ do: "train", ...wanted }), { className: "main" }), button("Stop", () => act({ do: "stop" }))];
  const progress = element("progress", { max: 1, ariaLabel: "Training" });
  const left = element("span", { className: "quiet" });
  const typed = (name, label, value, help) => {
    const input = keyed(name, element("input", { type: "text", inputMode: "decimal", size: 7, value, ariaLabel: label }));
    input.addEventListener("input", () => { wanted[name] = input.value; });
    return element("label", {}, element("span", { textContent: label }), input, element("span", { className: "quiet", textContent: help }));
  };
  const several = (name, label, choices, value) => selection(label, Object.entries(choices), String(value), (one) => { wanted[name] = one; }).row;
  const run = ({ number, text, how, since }, used) => {
    const input = keyed(`run ${number}`, element("input", { type: "radio", name: `${group}-run`, checked: number === used }));
    input.addEventListener("change", () => act({ do: "use", number }));
    const older = since ? ` ${counted(since, "label")} changed since then: train again to use ${since === 1 ? "it" : "them"}.` : "";
    return element("label", {}, input, element("span", {}, text, element("br"), element("span", { className: "quiet", textContent: `${how}.${older}` })));
  };
  return {
    parts: [form, element("div", { className: "buttons" }, go, halt, progress, left), live, runs],
    update({ train: seen, busy }) {
      if (!seen) return;
      const { plan, choices } = seen;
      renew(form, [plan, choices], () => {
        Object.keys(wanted).forEach((name) => delete wanted[name]);
        return [
          element("p", { textContent: "A network that has seen a million photos is taught your kinds. The values below are a good beginning." }),
          element("div", { className: "row" }, typed("epochs", "Times through the photos", plan.epochs, "more takes longer")),
          element("details", {}, element("summary", { textContent: "More choices" }), element("div", { className: "row" },
            typed("rate", "Learning rate", plan.rate, "how far each step goes"),
            several("size", "Size of photos", choices.size, plan.size),
            several("learning", "What learns", choices.learning, plan.learning),
            several("backbone", "Network", choices.backbone, plan.backbone))),
        ];
      });
      const now = seen.live;
      const trains = busy && busy.text === "Training";
      [go.hidden, halt.hidden, progress.hidden, left.hidden] = [Boolean(busy), !trains, !now, !trains];
      left.textContent = seen.elsewhere ? `${seen.elsewhere} is trained just now, and one thing goes at a time.` : "";
      go.textContent = seen.trainings.length ? "Train again, from the beginning" : "Train";
      if (now) {
        progress.value = now.share;
        left.textContent = now.share === 1 ? "Asking it about every photo …" : now.left === null ? "" : `about ${counted(Math.max(1, now.left), "second")} left`;
      }
      renew(live, now || seen.last, (one) => (one ? [plot(one)] : []));
      renew(runs, [seen.trainings, seen.used], () => (seen.trainings.length ? [
        element("fieldset", {}, element("legend", { textContent: "Trainings so far; the marked one is looked at, tried and exported" }),
          ...seen.trainings.map((one) => run(one, seen.used))),
        element("div", { className: "buttons" }, keyed("mistakes", button("See its mistakes", () => act({ do: "step", to: "mistakes" })))),
      ] : []));
    },
  };
}

// Mistakes ----------------------------------------------------------------------------------------------------

function mistakes(act, images) {
  const part = lookingThrough((what) => act({ do: "clean", what }), images);
  const again = element("div");
  return {
    parts: [
      element("p", { textContent: "The photos that surprise the model most come first. For each, ask: is the label wrong, or the model? Correct a label only if you would without the model." }),
      ...part.parts, again,
    ],
    update({ mistakes: seen, train }) {
      if (!seen) return;
      part.update(seen);
      const since = train.trainings.find(({ number }) => number === train.used)?.since || 0;
      renew(again, since, () => (since ? [element("div", { className: "buttons" },
        keyed("again", button(`Train again with ${counted(since, "changed label")}`, () => act({ do: "train" }), { className: "main" })))] : []));
    },
  };
}

// Trying ------------------------------------------------------------------------------------------------------

function trying(act, images, model, complain) {
  const waiting = [];
  let sent = false;
  const input = element("input", { type: "file", accept: "image/*", multiple: true });
  const drop = element("div", { className: "drop" }, element("label", {}, element("span", { textContent: "Photos from this computer" }), input),
    element("p", { className: "quiet", textContent: "Or drop them here. They go to the notebook's kernel and nowhere else." }));
  const answers = element("div");
  const next = async () => {
    const file = waiting.shift();
    if (!file) return;
    sent = true;
    const bytes = await file.arrayBuffer();
    for (let at = 0; at === 0 || at < bytes.byteLength; at += PIECE) {
      const last = at + PIECE >= bytes.byteLength;
      model.send({ do: "piece", name: file.name, last }, undefined, [bytes.slice(at, at + PIECE)]);
    }
  };
  const take = (files) => {
    const large = [...files].filter(({ size }) => size > MOST_BYTES);
    if (large.length) complain(`${large[0].name} has more than ${MOST_BYTES / 1e6} megabytes, which is too much to try here.`);
    waiting.push(...[...files].filter((file) => !large.includes(file)));
    if (!sent) next();
  };
  input.addEventListener("change", () => { take(input.files); input.value = ""; });
  drop.addEventListener("dragover", (event) => { event.preventDefault(); event.stopPropagation(); drop.classList.add("over"); });
  drop.addEventListener("dragleave", () => drop.classList.remove("over"));
  drop.addEventListener("drop", (event) => {
    event.preventDefault();
    event.stopPropagation();
    drop.classList.remove("over");
    take(event.dataTransfer.files);
  });
  const chance = ([kind, share]) => element("li", {}, element("div", { textContent: `${kind}: ${percent(share)}` }),
    element("div", { className: "bar", style: `width: ${100 * share}%` }));
  return {
    parts: [drop, answers],
    update({ try: seen, busy, mistakes: known }) {
      if (!busy && sent) { sent = false; next(); }
      if (seen) renew(answers, [seen, known.kinds, images.from], () => [
        element("p", { className: "quiet", textContent: `It knows these words and no others: ${known.kinds.join(", ")}. On a photo of something else it says one of them as well, and may be quite sure.` }),
        element("ul", { className: "tried" }, ...seen.map(({ name, id, answer, problem, training: number }) => element("li", {},
          ...(problem ? [element("p", { className: "stop", textContent: problem })] : [
            images.image(id, name, 144),
            element("div", {}, element("p", {}, `${name}: `, element("strong", { textContent: answer[0][0] }), ` (training ${number})`),
              element("ul", { className: "chances" }, ...answer.map(chance)))])))),
      ]);
    },
  };
}

// Exporting ---------------------------------------------------------------------------------------------------

const size = (bytes) => (bytes < 1e5 ? `${Math.max(1, Math.round(bytes / 1000))} kB` : `${(bytes / 1e6).toFixed(1)} MB`);

function exporting(act) {
  const [ways, done] = [element("div"), element("div", { role: "status" })];
  return {
    parts: [element("p", { textContent: "The model is written into a new folder beside the notebook. Nothing that is there already is replaced." }), ways, done],
    update({ export: seen }) {
      if (!seen) return;
      renew(ways, seen.ways, () => Object.entries(seen.ways).map(([way, text]) => element("div", { className: "way row" },
        keyed(way, button("Write", () => act({ do: "export", way }), { ariaLabel: `Write. ${text}` })), element("span", { textContent: text }))));
      renew(done, seen.done, () => seen.done.map(({ folder, files, use, training: number }) => element("div", {},
        element("h4", { textContent: `Written: ${folder}` }),
        element("p", { className: "quiet", textContent: `Of training ${number}: ${files.map(([name, bytes]) => `${name} (${size(bytes)})`).join(", ")}.` }),
        element("p", {}, "To use it: ", element("code", { textContent: use })))));
    },
  };
}

// All of it ---------------------------------------------------------------------------------------------------

/** The code that ran, to be read and copied. */
function codePart() {
  const pre = element("pre", { tabIndex: 0, role: "region", ariaLabel: "The code" });
  const copied = element("span", { role: "status", className: "quiet" });
  const copy = button("Copy", async () => {
    try {
      await navigator.clipboard.writeText(pre.textContent);
      copied.textContent = "Copied. Paste it into a cell: it does the same again.";
    } catch {
      getSelection().selectAllChildren(pre);
      copied.textContent = "It is selected: copy it with Ctrl+C or ⌘C.";
    }
  });
  const box = element("details", {}, element("summary", { textContent: "The code it ran" }), element("div", { className: "buttons" }, copy, copied), pre);
  return {
    box,
    update({ code }) {
      box.hidden = !code;
      if (pre.textContent !== code) { pre.textContent = code; copied.textContent = ""; }
    },
  };
}

function render({ model, el }) {
  const act = (what) => model.send(what);
  const images = pictures(model);
  const said = element("div", { role: "status" });
  const complain = (text) => said.replaceChildren(element("p", { className: "stop", textContent: text }));
  const group = `studio-${Math.random().toString(36).slice(2)}`; // two studios on a page have radio buttons each
  const parts = { choose: choosing(act), look: looking(act, images), train: training(act, images, group), mistakes: mistakes(act, images), try: trying(act, images, model, complain), export: exporting(act) };
  const head = element("h3", { tabIndex: -1 });
  const [steps, panel, waiting] = [element("nav", { ariaLabel: "Steps" }), element("div", { className: "panel" }), element("div")];
  const bar = element("progress");
  const code = codePart();
  let step = null;

  function update() {
    const seen = model.get("state");
    images.are(JSON.stringify(seen.pictures));
    renew(steps, [seen.step, seen.steps], () => [element("ol", {}, ...Object.entries(NAMES).map(([name, text]) => element("li", {},
      seen.steps.includes(name)
        ? keyed(name, button(text, () => act({ do: "step", to: name }), name === seen.step ? { ariaCurrent: "step" } : {}))
        : element("span", { textContent: text, title: LATER[name] }))))]);
    if (step !== seen.step) {
      const inside = panel.contains(el.getRootNode().activeElement);
      step = seen.step;
      head.textContent = HEADS[step];
      panel.replaceChildren(head, ...parts[step].parts);
      if (inside) head.focus();
    }
    const busy = seen.busy && seen.busy.text !== "Training" ? seen.busy : null;
    renew(waiting, busy && busy.text, (text) => (text ? [element("p", { role: "status", textContent: `${text} …` }), bar] : []));
    if (busy) {
      bar.ariaLabel = busy.text;
      if (busy.count) Object.assign(bar, { max: busy.count, value: busy.done });
      else bar.removeAttribute("value");
    }
    renew(said, seen.said, () => (seen.said.text ? [element("p", { className: seen.said.weight, textContent: seen.said.text })] : []));
    parts[step].update(seen);
    code.update(seen);
  }
  ownKeys(el);
  settle(el, "studio", SHEET + LOOKS + LOOK, steps, said, waiting, panel, code.box);
  update();
  model.on("change:state", update);
  return () => {
    model.off("change:state", update);
    images.close();
  };
}

export default { render };
