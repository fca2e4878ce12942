// Photos with their labels and what a model says, to be looked through and corrected: the part that the cleaner
// is, and that stands in the studio too. What is chosen and decided lies in the kernel; here it is only shown.
import { button, element } from "./drawing.js";
import { counted, keyed, percent, renew, selection } from "./gallery.js";

const MOST_IN_TABLE = 10;

export const LOOKS = `
  & .cards { display: grid; grid-template-columns: repeat(auto-fill, minmax(9.5rem, 1fr)); gap: 0.8rem; margin: 0.8rem 0; }
  & .cards li { min-width: 0; padding: 0.4rem; border: 1px solid color-mix(in srgb, currentcolor 30%, transparent); border-radius: 0.4rem; }
  & .cards li.changed { border: 2px solid var(--blue, #0072b2); }
  & .cards li.out img { opacity: 0.35; }
  & .cards img { width: 100%; height: auto; aspect-ratio: 1; border-radius: 0.2rem; }
  & .cards p { margin: 0.3em 0; overflow-wrap: anywhere; line-height: 1.35; }
  & .cards select { width: 100%; }
  & td button { width: 100%; min-width: 2.6em; padding: 0.2em; border-radius: 0; border: 1px solid color-mix(in srgb, currentcolor 25%, transparent); }
  & td button[aria-pressed="true"] { outline: 3px solid var(--blue, #0072b2); outline-offset: -3px; }
  & td.right button { font-weight: 650; }
  & .scroll { overflow-x: auto; }
  & .changes li { display: flex; flex-wrap: wrap; gap: 0 0.6em; align-items: center; overflow-wrap: anywhere; }`;

/** Which kind was taken for which: each count is a button that shows these photos. */
function confusion({ table, kinds, shown }, act) {
  const press = (kind, said) => act({ do: "show", kind, said, side: "held out" });
  const cell = (count, row, column) => {
    const [kind, said] = [kinds[row], kinds[column]];
    if (!count) return element("td", { className: "none", textContent: "·" });
    const made = button(String(count), () => press(kind, said), { ariaLabel: `${counted(count, "photo")} labelled ${kind}, called ${said}: show` });
    made.ariaPressed = String(shown.kind === kind && shown.said === said);
    return element("td", { className: row === column ? "right" : "" }, keyed(`${kind} ${said}`, made));
  };
  const heads = kinds.map((kind) => element("th", { scope: "col", textContent: kind }));
  return element("div", { className: "scroll", tabIndex: 0, role: "region", ariaLabel: "Which kind is taken for which" },
    element("p", { className: "quiet", textContent: "The held-out photos: a row is the label, a column what the model says. Press a number to see these photos." }),
    element("table", {},
      element("thead", {}, element("tr", {}, element("td"), ...heads)),
      element("tbody", {}, ...table.map((counts, row) => element("tr", {},
        element("th", { scope: "row", textContent: kinds[row] }), ...counts.map((count, column) => cell(count, row, column)))))));
}

/** The pairs that are taken for each other most often, where there are too many kinds for a table. */
function pairs({ table, kinds }, act) {
  const found = table.flatMap((counts, row) => counts.map((count, column) => ({ count, kind: kinds[row], said: kinds[column] })))
    .filter(({ count, kind, said }) => count && kind !== said).sort((a, b) => b.count - a.count).slice(0, 8);
  return element("ul", {}, ...found.map(({ count, kind, said }) => element("li", {},
    keyed(`${kind} ${said}`, button(`${kind} called ${said}: ${counted(count, "photo")}`, () => act({ do: "show", kind, said, side: "held out" }))))));
}

/** What is chosen to be seen, and in which order. */
function choices({ kinds, shown, orders, count }, act) {
  const any = (text) => [["", text], ...kinds.map((kind) => [kind, kind])];
  return [
    element("div", { className: "row" },
      selection("Photos", [["held out", "held out"], ["learned from", "learned from"], ["", "all"]], shown.side, (side) => act({ do: "show", side })).row,
      selection("labelled", any("anything"), shown.kind, (kind) => act({ do: "show", kind })).row,
      selection("that the model calls", any("anything"), shown.said, (said) => act({ do: "show", said })).row,
      selection("in order", Object.entries(orders), shown.order, (order) => act({ do: "show", order })).row),
    element("p", { className: "quiet", textContent: count ? `${counted(count, "photo")}.` : "There is no such photo. Choose “anything” or “all” above." }),
  ];
}

/** A photo, what is said about it, and its label to be changed. */
function card({ item, name, side, label, now, said, sure }, kinds, act, images) {
  const changed = now !== label;
  const input = keyed(item, element("select", { ariaLabel: `Label of ${name}` },
    ...kinds.map((kind) => element("option", { value: kind, textContent: kind === label ? kind : `→ ${kind}` })),
    element("option", { value: "", textContent: "→ leave out" })));
  input.value = now;
  input.addEventListener("change", () => act({ do: "label", item, now: input.value }));
  return element("li", { className: `${changed ? "changed" : ""} ${now ? "" : "out"}` },
    images.image(item, `${name}, labelled ${label}`, 160),
    element("p", {}, "Model: ", element("strong", { textContent: said }), `, ${percent(sure)}${said === label ? "" : `, not ${label}`}`, element("br"),
      element("span", { className: "quiet", textContent: `${side}: ${name}` })),
    input);
}

/** One page of photos, and the way to the others. */
function cards({ cards: seen, kinds, pages, shown }, act, images) {
  const turn = (text, page, may) => keyed(text, button(text, () => act({ do: "show", page }), { disabled: !may }));
  const leaf = element("div", { className: "buttons" }, turn("Earlier", shown.page - 1, shown.page > 0),
    element("span", { textContent: `Page ${shown.page + 1} of ${pages}` }), turn("Later", shown.page + 1, shown.page + 1 < pages));
  return [element("ul", { className: "cards" }, ...seen.map((one) => card(one, kinds, act, images))), ...(pages > 1 ? [leaf] : [])];
}

/** The changes so far; each can be taken back. */
export function list({ changes, undo, file }, act) {
  const back = ({ item, name, fixed }) => fixed ? [] : [keyed(`back ${item}`, button("Take back", () => act({ do: "restore", item }), { className: "link", ariaLabel: `Take back the change of ${name}` }))];
  const rows = changes.map((one) => element("li", {},
    element("span", { textContent: `${one.name}: ${one.was} → ${one.now || "left out"}${one.why ? `, as ${one.why}` : ""}` }), ...back(one)));
  return [
    element("h4", { textContent: changes.length ? `${counted(changes.length, "change")} so far` : "No changes so far" }),
    ...(changes.length ? [element("p", { className: "quiet", textContent: file ? `Kept in ${file}. The photos themselves are not touched.` : "The photos themselves are not touched." })] : []),
    ...(undo ? [element("div", { className: "buttons" }, keyed("undo", button("Undo the last one", () => act({ do: "undo" }))))] : []),
    element("ul", { className: "changes" }, ...rows),
  ];
}

/** The whole part: `update` shows what the kernel says is to be seen. */
export function lookingThrough(act, images) {
  const [table, chosen, page, changes] = [element("div"), element("div"), element("div"), element("div")];
  const said = element("p", { role: "status" });
  return {
    parts: [table, chosen, said, page, changes],
    update(seen) {
      said.textContent = seen.said;
      renew(table, { table: seen.table, kinds: seen.kinds, shown: { kind: seen.shown.kind, said: seen.shown.said } },
        (one) => [(seen.kinds.length > MOST_IN_TABLE ? pairs : confusion)(one, act)]);
      renew(chosen, { kinds: seen.kinds, shown: { ...seen.shown, page: 0 }, orders: seen.orders, count: seen.count }, (one) => choices(one, act));
      renew(page, { cards: seen.cards, kinds: seen.kinds, pages: seen.pages, shown: { page: seen.shown.page }, from: images.from }, (one) => cards(one, act, images));
      renew(changes, { changes: seen.changes, undo: seen.undo, file: seen.file }, (one) => list(one, act));
    },
  };
}
