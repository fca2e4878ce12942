// What was done, shown wherever its lesson is named: in the contents, on the map, on the first page of a part, at the
// end of the lesson, on the box of its exercise. Under `make learn` the points of exercises come by themselves.
(() => {
  "use strict";
  const { progress } = window.coursekit;
  const all = (selector, where = document) => [...where.querySelectorAll(selector)];

  // What is known of a lesson, beside what there is to do in it.
  function known(now, element) {
    const { lesson, questions, points } = element.dataset;
    const answered = Object.entries(now.quizzes).filter(([id, quiz]) => id.startsWith(`${lesson}/`) && quiz.right);
    const right = Math.min(answered.length, Number(questions)); // a question may be gone since
    const exercise = now.exercises[lesson];
    return {
      read: now.read[lesson],
      questions: [right, Number(questions)],
      points: [exercise?.points ?? 0, Number(points)],
      begun: Boolean(right || exercise),
      passed: Boolean(exercise && exercise.points >= exercise.of),
    };
  }

  function mark(sign, { read, begun, passed, points }) {
    const [state, words] = read && (passed || !points[1]) ? ["all", points[1] ? "read, exercise passed" : "read"]
      : read ? ["read", "read"] : begun ? ["begun", passed ? "exercise passed" : "begun"] : [null, ""];
    if (state) sign.dataset.state = state;
    else delete sign.dataset.state;
    sign.replaceChildren();
    if (state) sign.append(Object.assign(document.createElement("span"), { textContent: `, ${words}` }));
  }

  function fill(row, about) {
    const { read, questions: [right, asked], points: [gained, of], passed } = about;
    const say = {
      read: [read ? new Date(read).toLocaleDateString(undefined, { dateStyle: "medium" }) : "no", read],
      questions: [`${right} of ${asked}`, right && right === asked],
      points: [of ? `${gained} of ${of}` : "none", passed],
    };
    for (const cell of all("[data-shows]", row)) {
      const [words, done] = say[cell.dataset.shows];
      cell.textContent = words;
      if (done) cell.dataset.state = "done";
      else delete cell.dataset.state;
    }
  }

  // The last line of the table: all lessons together.
  function sumUp(now) {
    const rows = all("table.progress tbody tr").map((row) => known(now, row));
    const sum = (numbers) => numbers.reduce((one, other) => one + other, 0);
    const pairs = {
      read: rows.map(({ read }) => [read ? 1 : 0, 1]),
      questions: rows.map(({ questions }) => questions),
      points: rows.map(({ points }) => points),
    };
    for (const cell of all("[data-sum]")) {
      const [done, of] = [0, 1].map((place) => sum(pairs[cell.dataset.sum].map((pair) => pair[place])));
      cell.textContent = `${done} of ${of}`;
    }
  }

  function show(now) {
    for (const element of all("[data-points]")) {
      const about = known(now, element);
      all(":scope > a .done", element).forEach((sign) => mark(sign, about));
      if (element.matches("tr")) fill(element, about);
    }
    sumUp(now);
    for (const box of all(".exercise[id]")) {
      const exercise = now.exercises[box.id.replace("exercise-", "").replaceAll("-", "_")];
      box.querySelector(".gained")?.remove();
      const label = box.querySelector(".label");
      if (!exercise || !label) continue;
      const words = `${exercise.points >= exercise.of ? "passed, " : ""}${exercise.points} of ${exercise.of} points`;
      label.append(Object.assign(document.createElement("span"), { className: "gained", textContent: words }));
    }
    if (progress.trouble) notice(progress.trouble);
  }

  function notice(sentence) {
    if (document.querySelector(".notice")?.firstChild.textContent === sentence) return;
    document.querySelector(".notice")?.remove();
    const box = document.createElement("div");
    box.className = "notice";
    box.setAttribute("role", "status");
    const close = Object.assign(document.createElement("button"), { type: "button", textContent: "Close" });
    close.addEventListener("click", () => box.remove());
    box.append(Object.assign(document.createElement("span"), { textContent: sentence }), close);
    document.body.append(box);
  }

  // The end of a lesson: a box to tick, and it ticks itself when it has been looked at.
  function lessonEnd() {
    const box = document.querySelector(".lesson-end input");
    if (!box) return;
    const { lesson } = document.body.dataset;
    const tick = (now) => { box.checked = Boolean(now.read[lesson]); };
    const note = (read) => progress.change((mine) => {
      if (read) mine.read[lesson] ??= new Date().toISOString();
      else delete mine.read[lesson];
    });
    tick(progress.read());
    progress.onchange(tick);
    box.addEventListener("change", () => { note(box.checked); watch?.disconnect(); });
    let waiting;
    // Whoever follows a link to the end and leaves at once has not read the lesson.
    const watch = "IntersectionObserver" in window && new IntersectionObserver(([seen]) => {
      clearTimeout(waiting);
      if (seen.isIntersecting && !box.checked) waiting = setTimeout(() => { note(true); watch.disconnect(); }, 2000);
    });
    watch?.observe(box);
  }

  // On the map, what a lesson needs and what it leads to is lit when it is pointed at.
  function lightArcs() {
    const paths = all(".course-map path");
    const light = (word) => paths.forEach((path) => {
      if (word && path.dataset.to === word) path.dataset.lit = "needed";
      else if (word && path.dataset.from === word) path.dataset.lit = "onward";
      else delete path.dataset.lit;
    });
    for (const stop of all(".course-map li")) {
      for (const event of ["pointerenter", "focusin"]) stop.addEventListener(event, () => light(stop.dataset.lesson));
      for (const event of ["pointerleave", "focusout"]) stop.addEventListener(event, () => light(null));
    }
  }

  async function pointsFromHere() {
    const address = document.body.dataset.progress;
    if (!address || !location.protocol.startsWith("http")) return;
    try {
      const answer = await fetch(address, { cache: "no-store" });
      if (!answer.ok) return;
      const text = await answer.text();
      if (text !== pointsFromHere.last) progress.import(text);
      pointsFromHere.last = text;
    } catch { /* the server was stopped: what is known stays */ }
  }

  show(progress.read());
  progress.onchange(show);
  lessonEnd();
  lightArcs();
  pointsFromHere();
  document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && pointsFromHere());
})();
