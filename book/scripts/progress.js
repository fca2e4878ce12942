// What a reader has done, kept in their own browser and nowhere else: lessons read, quizzes, exercises.
//
// window.coursekit.progress
//   read()          {version, read: {lesson: time}, quizzes: {id: {right, given, at}},
//                    exercises: {word: {points, of, at}}}
//   change(f)       f changes what it is given; the result is kept. What other tabs kept meanwhile stays.
//   onchange(f)     call f(progress) after each change, in this tab or another; gives a function that stops it
//   export()        everything as text, which import(text) takes; so does it what `coursekit status --json FILE` wrote
//   import(text)    add it to what is here, the later entry of two; says in a sentence what came, or throws one
//   clear()         forget everything
//   trouble         "", or a sentence for the reader about what could not be read or kept
//
// Times are texts such as 2026-11-23T08:15:00.000Z. Without storage all of this works until the page is left.
(() => {
  "use strict";
  const KEY = "coursekit-progress";
  const ASIDE = "coursekit-progress-set-aside";
  const VERSION = 1;
  const listeners = new Set();
  const isRecord = (x) => typeof x === "object" && x !== null && !Array.isArray(x);
  const isTime = (x) => typeof x === "string" && !Number.isNaN(Date.parse(x));
  const isCount = (x) => Number.isFinite(x) && x >= 0;

  // What an entry must be to be kept; whatever else it holds is kept with it.
  const sound = {
    read: isTime,
    quizzes: (x) => isRecord(x) && typeof x.right === "boolean" && isTime(x.at),
    exercises: (x) => isRecord(x) && isCount(x.points) && isCount(x.of) && isTime(x.at),
  };
  const kinds = Object.keys(sound);
  const empty = () => ({ version: VERSION, read: {}, quizzes: {}, exercises: {} });
  const timeOf = (entry) => Date.parse(entry.at ?? entry);

  // A text as progress, and how many of its entries are no such thing. Throws when nothing of it is.
  function parsed(text) {
    const given = JSON.parse(text);
    if (!isRecord(given) || given.version !== VERSION) throw new TypeError("no progress of this version");
    const progress = empty();
    let strange = 0;
    for (const kind of kinds) {
      const entries = Object.entries(isRecord(given[kind]) ? given[kind] : {});
      // fromEntries and not an assignment: an entry may be called __proto__.
      progress[kind] = Object.fromEntries(entries.filter(([, entry]) => sound[kind](entry)));
      strange += entries.length - Object.keys(progress[kind]).length;
      strange += kind in given && !isRecord(given[kind]);
    }
    return { progress, strange };
  }

  let inMemory = null; // what there is where nothing can be kept
  let trouble = "";

  function setAside(text, sentence) {
    trouble = sentence;
    try { localStorage.setItem(ASIDE, text); } catch { /* no room: then it is only gone from the page */ }
  }

  function read() {
    if (inMemory) return structuredClone(inMemory);
    let text = null;
    try {
      text = localStorage.getItem(KEY);
      if (text === null) return empty();
      const { progress, strange } = parsed(text);
      if (strange) {
        setAside(text, "Some of what this browser had noted about your progress could not be read. The rest is here.");
        localStorage.setItem(KEY, JSON.stringify(progress));
      }
      return progress;
    } catch {
      if (text === null) inMemory = empty(); // the browser keeps nothing for this page
      else {
        setAside(text, "What this browser had noted about your progress could not be read; it begins anew.");
        try { localStorage.removeItem(KEY); } catch { inMemory = empty(); }
      }
      return empty();
    }
  }

  function keep(progress) {
    try {
      localStorage.setItem(KEY, JSON.stringify(progress));
      inMemory = null;
    } catch {
      inMemory = progress;
      trouble = "This browser keeps nothing for this page, so your progress is forgotten when you leave it.";
    }
    tell();
  }

  function tell() {
    for (const listener of [...listeners]) {
      try { listener(read()); } catch (error) { console.error(error); } // one that fails does not silence the others
    }
  }

  function change(f) {
    const progress = read();
    f(progress);
    keep(parsed(JSON.stringify(progress)).progress);
  }

  function merge(mine, theirs) {
    for (const kind of kinds) {
      const better = Object.entries(theirs[kind]).filter(
        ([name, entry]) => !Object.hasOwn(mine[kind], name) || timeOf(entry) > timeOf(mine[kind][name]));
      mine[kind] = { ...mine[kind], ...Object.fromEntries(better) };
    }
  }

  const counted = (n, one, many = `${one}s`) => `${n} ${n === 1 ? one : many}`;

  function importText(text) {
    let came;
    try { came = parsed(text); } catch {
      throw new TypeError(
        "This is no progress file: export one here, or write one with `coursekit status --json FILE`.");
    }
    change((mine) => merge(mine, came.progress));
    const [lessons, quizzes, exercises] = kinds.map((kind) => Object.keys(came.progress[kind]).length);
    const all = [counted(lessons, "lesson"), counted(quizzes, "quiz", "quizzes"), counted(exercises, "exercise")];
    const said = `${all[0]}, ${all[1]} and ${all[2]} came in.`;
    return came.strange ? `${said} ${counted(came.strange, "entry", "entries")} could not be read.` : said;
  }

  function clear() {
    try { localStorage.removeItem(KEY); localStorage.removeItem(ASIDE); } catch { /* there was nothing */ }
    inMemory &&= empty();
    trouble = "";
    tell();
  }

  addEventListener("storage", (event) => {
    if (event.key === KEY || event.key === null) tell();
  });
  window.coursekit ??= {};
  window.coursekit.progress = {
    read,
    change,
    onchange: (f) => { listeners.add(f); return () => listeners.delete(f); },
    export: () => JSON.stringify(read(), null, 1),
    import: importText,
    clear,
    get trouble() { return trouble; },
  };
})();
