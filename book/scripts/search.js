// Searching the book: as one types, in spite of typing errors, without a server or another host.
(() => {
  "use strict";
  const site = document.documentElement.dataset.content_root || "./";
  const TOKEN = /[\p{L}\p{N}_]+/gu;
  const PIECE = /\p{Lu}?\p{Ll}+|\p{Lu}+(?!\p{Ll})|\p{N}+/gu;

  const plain = (text) => text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();

  // "cropping", "cropped" and "crops" are one word to whoever searches.
  function stem(word) {
    const bare = word.length > 6 ? word.replace(/(?:ing|ed)$/, "") : word;
    if (bare !== word) return bare.replace(/([^aeiouls])\1$/, "$1").replace(/e$/, "");
    return word.length > 4 ? word.replace(/(?<!s)s$/, "").replace(/e$/, "") : word;
  }

  // A text as words; `fit_one_cycle` and `RandomCrop` also count as their pieces.
  function* tokens(text) {
    for (const [word] of text.matchAll(TOKEN)) {
      yield plain(word);
      const pieces = word.match(PIECE) ?? [];
      if (pieces.length > 1) yield* pieces.map(plain);
    }
  }

  // For each word, how much it says of each section: more in a title, the shorter the more; less in code.
  function prepare({ pages, sections }) {
    const texts = sections.map(([page, , title, prose, code]) =>
      [title, prose, code, pages[page][1]].map((text) => [...tokens(text)]));
    const lengths = texts.map(([, prose, code]) => prose.length + code.length);
    const usual = lengths.reduce((sum, length) => sum + length, 0) / lengths.length;
    const places = new Map();
    texts.forEach((fields, section) => {
      const room = 0.6 + 1.2 * lengths[section] / usual;
      const weights = [6 / fields[0].length ** 0.5, 1 / room, 0.5 / room, 0.2];
      fields.forEach((words, field) => words.forEach((word) => {
        if (!places.has(word)) places.set(word, new Map());
        const found = places.get(word);
        found.set(section, (found.get(section) ?? 0) + weights[field]);
      }));
    });
    const stems = new Map([...places.keys()].map((word) => [word, stem(word)]));
    return { pages, sections, places, stems };
  }

  // How many letters differ between what was typed and the nearest beginning of a word; a swap counts once.
  function slips(typed, word, most) {
    let [before, last] = [[], [...Array(word.length + 1).keys()]];
    for (let i = 1; i <= typed.length; i += 1) {
      const row = [i];
      for (let j = 1; j <= word.length; j += 1) {
        const change = last[j - 1] + (typed[i - 1] !== word[j - 1]);
        row[j] = Math.min(change, last[j] + 1, row[j - 1] + 1);
        if (i > 1 && j > 1 && typed[i - 1] === word[j - 2] && typed[i - 2] === word[j - 1]) {
          row[j] = Math.min(row[j], before[j - 2] + 1);
        }
      }
      if (Math.min(...row) > most) return Infinity;
      [before, last] = [last, row];
    }
    return last;
  }

  // The words of the book that a typed word may mean, each with how sure that is.
  function near(typed, stems) {
    const most = typed.length < 4 ? 0 : typed.length < 8 ? 1 : 2;
    const found = new Map();
    if (!most) return found;
    for (const word of stems.keys()) {
      if (word.length < typed.length - most || word[0] !== typed[0] && word[1] !== typed[1]) continue;
      const row = slips(typed, word.slice(0, typed.length + most), most);
      if (row === Infinity) continue;
      const whole = word.length <= typed.length + most ? row.at(-1) : Infinity;
      if (whole <= most) found.set(word, 0.6 / Math.max(whole, 1));
      else if (Math.min(...row.slice(typed.length - most)) <= 1) found.set(word, 0.3 * typed.length / word.length);
    }
    return found;
  }

  function meant(typed, stems) {
    const found = new Map();
    const bare = stem(typed);
    for (const [word, root] of stems) {
      if (word === typed) found.set(word, 1);
      else if (root === bare) found.set(word, 0.9);
      else if (word.startsWith(typed)) found.set(word, 0.7 * (typed.length / word.length) ** 0.5);
    }
    return found;
  }

  // Each section's score for one typed word; a rare word says more than a common one.
  function scored(words, { places, sections }) {
    const scores = new Map();
    for (const [word, sure] of words) {
      const found = places.get(word);
      const rare = Math.log(1 + sections.length / found.size);
      for (const [section, amount] of found) {
        const score = sure * rare * amount / (amount + 1);
        scores.set(section, Math.max(scores.get(section) ?? 0, score));
      }
    }
    return scores;
  }

  // The sections that say every word, but for words such as "how" and "to", which stand everywhere.
  function saying(scores, book) {
    const telling = scores.filter((each) => each.size < book.sections.length / 6);
    const asked = telling.length ? telling : scores;
    return [...asked[0].keys()].filter((section) => asked.every((each) => each.has(section)));
  }

  function find(query, book) {
    const typed = [...new Set((query.match(TOKEN) ?? []).map(plain))];
    if (!typed.length) return { hits: [], words: new Map(), slipped: [] };
    const slipped = new Map();
    let choices = typed.map((word) => {
      const found = meant(word, book.stems);
      if (found.size) return found;
      const guesses = near(word, book.stems);
      if (guesses.size) slipped.set(word, [...guesses].sort((a, b) => b[1] - a[1])[0][0]);
      return guesses;
    });
    let scores = choices.map((words) => scored(words, book));
    let sections = saying(scores, book);
    if (!sections.length) {
      // No section says it all: a word of the book may have been typed for another one, or one word is too many.
      choices = choices.map((words, place) => new Map([...near(typed[place], book.stems), ...words]));
      scores = choices.map((words) => scored(words, book));
      sections = saying(scores, book);
    }
    const some = sections.length > 0;
    if (!some) sections = [...new Set(scores.flatMap((each) => [...each.keys()]))];
    const said = plain(query.trim());
    const hits = sections.map((section) => {
      const [, , title, prose] = book.sections[section];
      const sum = scores.reduce((total, each) => total + (each.get(section) ?? 0), 0);
      const known = scores.filter((each) => each.has(section)).length / scores.length;
      const whole = plain(title).replace(/^kit\./, "") === said ? 2 : typed.length > 1 && plain(`${title} ${prose}`).includes(said) ? 1.5 : 1;
      return { section, score: sum * known ** 2 * whole };
    });
    hits.sort((a, b) => b.score - a.score || a.section - b.section);
    return { hits, words: new Map(choices.flatMap((words) => [...words])), slipped: [...slipped] };
  }

  // The stretch of a text that says most of what is sought, with those words marked.
  function excerpt(text, words, kind = "span", width = 150) {
    const found = [...text.matchAll(TOKEN)]
      .map((match) => ({ start: match.index, end: match.index + match[0].length, sure: sureness(match[0], words) }))
      .filter(({ sure }) => sure);
    if (!found.length) return null;
    const worth = (first) => {
      const inside = found.filter(({ start }) => start >= first.start && start < first.start + width - 30);
      return new Set(inside.map(({ start, end }) => plain(text.slice(start, end)))).size + first.sure;
    };
    const best = found.reduce((a, b) => (worth(b) > worth(a) ? b : a));
    let start = Math.max(0, best.start - 40);
    if (start) start = text.indexOf(" ", start) + 1;
    const end = start + width < text.length ? text.lastIndexOf(" ", start + width) : text.length;
    const box = document.createElement(kind);
    box.className = "excerpt";
    let at = start;
    if (start) box.append("… ");
    for (const hit of found) {
      if (hit.start < at || hit.end > end) continue;
      const mark = document.createElement("mark");
      mark.textContent = text.slice(hit.start, hit.end);
      box.append(text.slice(at, hit.start), mark);
      at = hit.end;
    }
    box.append(text.slice(at, end), end < text.length ? " …" : "");
    return box;
  }

  function beginning(text, width = 130) {
    const box = document.createElement("span");
    box.className = "excerpt";
    box.textContent = text.length > width ? `${text.slice(0, text.lastIndexOf(" ", width))} …` : text;
    return box;
  }

  const sureness = (text, words) => Math.max(0, ...[...tokens(text)].map((word) => words.get(word) ?? 0));

  function link(hit, words, book) {
    const [page, anchor, title, prose, code] = book.sections[hit.section];
    const item = document.createElement("li");
    const found = document.createElement("a");
    found.href = `${site}${book.pages[page][0]}#${anchor}`;
    const head = document.createElement("span");
    head.className = "found-title";
    head.textContent = title;
    found.append(head, excerpt(prose, words) ?? (sureness(title, words) ? beginning(prose) : excerpt(code, words, "code")) ?? "");
    item.append(found);
    return item;
  }

  // The pages in the order of their best section, each with its sections.
  function list(found, book, most) {
    const pages = new Map();
    for (const hit of found.hits) {
      const page = book.sections[hit.section][0];
      if (!pages.has(page)) pages.set(page, []);
      pages.get(page).push(hit);
    }
    const groups = document.createElement("ul");
    for (const [page, hits] of [...pages].slice(0, most.pages)) {
      const [, title, number] = book.pages[page];
      const group = document.createElement("li");
      const head = document.createElement("p");
      head.className = "found-page";
      head.textContent = number ? `Lesson ${number} · ${title}` : title;
      const sections = document.createElement("ul");
      sections.append(...hits.slice(0, most.sections).map((hit) => link(hit, found.words, book)));
      group.append(head, sections);
      groups.append(group);
    }
    return groups;
  }

  function sentence(found, book) {
    const pages = new Set(found.hits.map((hit) => book.sections[hit.section][0])).size;
    const count = (number, word) => `${number} ${word}${number === 1 ? "" : "s"}`;
    const meaning = found.slipped.map(([typed, word]) => `“${word}” for “${typed}”`).join(", ");
    if (!found.hits.length) return "The book does not say that anywhere.";
    return `${count(found.hits.length, "place")} on ${count(pages, "page")}${meaning && `, taking ${meaning}`}`;
  }

  let asked;
  function load() {
    asked ??= window.coursekit.load("search_index.js").then(
      () => prepare(window.coursekit.searchIndex),
      (error) => { asked = undefined; throw error; },
    );
    return asked;
  }

  // Fill a box with what is found for the text of a field, each time that changes.
  function answer(field, box, most, shown = () => {}) {
    const said = document.createElement("p");
    said.setAttribute("role", "status");
    box.append(said);
    const show = async () => {
      const query = field.value;
      let groups = null;
      try {
        const book = query.trim() && await load();
        if (query !== field.value) return;
        const found = book && find(query, book);
        said.textContent = found ? sentence(found, book) : "";
        groups = found && list(found, book, most);
      } catch { said.textContent = "What the search needs could not be loaded. Try again when you are online."; }
      box.replaceChildren(said, ...(groups ? [groups] : []));
      shown(query.trim() !== "");
    };
    field.addEventListener("input", show);
    show();
    return show;
  }

  // Below the field at the top of every page.
  function panel(form) {
    const field = form.querySelector("input");
    const box = document.createElement("div");
    box.className = "found";
    box.tabIndex = -1;
    box.hidden = true;
    form.append(box);
    const show = answer(field, box, { pages: 6, sections: 3 }, (any) => { box.hidden = !any || !form.contains(document.activeElement); });
    const close = () => { box.hidden = true; };
    field.addEventListener("focus", () => { load().catch(() => {}); show(); });
    form.addEventListener("focusout", (event) => { if (!form.contains(event.relatedTarget)) close(); });
    box.addEventListener("click", (event) => { if (event.target.closest("a")) close(); });
    form.addEventListener("keydown", (event) => move(event, field, box, close));
    document.addEventListener("keydown", (event) => {
      // Not a letter alone: whoever speaks to the browser would set that off by chance (WCAG 2.1.4).
      if (event.key.toLowerCase() !== "k" || !(event.ctrlKey || event.metaKey) || event.altKey || event.shiftKey) return;
      event.preventDefault();
      field.select();
      field.focus();
    });
  }

  // Arrows go through what was found, Escape back to the page; a letter goes on in the field.
  function move(event, field, box, close) {
    const stops = [field, ...box.querySelectorAll("a")];
    const here = stops.indexOf(document.activeElement);
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step && !box.hidden) {
      event.preventDefault();
      stops.at((here + step) % stops.length).focus();
    } else if (event.key === "Escape" && !box.hidden) {
      event.preventDefault();
      field.focus();
      close();
    } else if (here > 0 && event.key.length === 1 && event.key !== " " && !event.ctrlKey && !event.metaKey) {
      field.focus();
    }
  }

  // The page of its own, for all that is found.
  function searchPage(box) {
    const field = document.querySelector(".search-again input");
    field.value = new URLSearchParams(location.search).get("q") ?? "";
    answer(field, box, { pages: Infinity, sections: Infinity });
    field.addEventListener("input", () => {
      history.replaceState(null, "", `?${new URLSearchParams({ q: field.value })}`);
    });
    field.form.addEventListener("submit", (event) => event.preventDefault());
  }

  panel(document.querySelector(".top .search"));
  const page = document.querySelector(".found-all");
  if (page) searchPage(page);
  (window.coursekit ??= {}).search = async (query) => find(query, await load());
})();
