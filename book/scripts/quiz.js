// Quizzes: without this file a page shows question, choices and folded answers; with it they can be answered.
// What was answered is kept by progress.js, if that is there, under the quiz's own name.
(() => {
  "use strict";
  const progress = window.coursekit?.progress;

  function element(tag, attributes = {}, ...children) {
    const made = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
    made.append(...children);
    return made;
  }

  const words = (node) => node.textContent.trim().replace(/\s+/g, " ");
  const squeezed = (text) => text.replace(/\s+/g, "").replace(/"/g, "'");

  // "75 %", "0,75", "3/4", "1,200" or "1e-3" as a number; NaN for anything else.
  function number(text) {
    let bare = text.replace(/[\s\u2009\u202f]/g, "").replace("\u2212", "-");
    bare = /^-?[1-9]\d{0,2}(,\d{3})+(\.|$|[^\d,])/.test(bare) ? bare.replaceAll(",", "") : bare.replace(",", ".");
    const parts = /^([+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?)(?:\/(\d+\.?\d*))?(?:[a-z%°²³]*)$/i.exec(bare);
    return parts ? Number(parts[1]) / Number(parts[2] ?? 1) : NaN;
  }

  // Each kind says how it is asked, what was given, and what there is to say to that: whether it is right, which of
  // the reasons to show, and other words. `put` shows what was given on another day.
  const kinds = {
    single: (quiz) => chosen(quiz, "radio"),
    multiple: (quiz) => chosen(quiz, "checkbox"),
    number: (quiz) => typed(quiz, element("input", { type: "text", inputmode: "decimal" }), (given, reason) =>
      Math.abs(number(given) - Number(reason.dataset.value)) <= Number(reason.dataset.within) + 1e-9),
    printed: (quiz) => typed(quiz, element("input", { type: "text", autocapitalize: "off" }), (given, reason) =>
      squeezed(given) === reason.dataset.text),
    order: ordered,
    open: written,
  };

  function chosen(quiz, type) {
    const items = [...quiz.box.querySelectorAll(".choices > li")];
    const inputs = items.map((item) => {
      const input = element("input", { type, name: quiz.id });
      item.replaceChildren(element("label", {}, input, element("span", {}, ...item.childNodes)));
      return input;
    });
    const picked = () => items.map((_, place) => place).filter((place) => inputs[place].checked);
    return {
      given() {
        const texts = picked().map((place) => words(items[place]));
        return type === "radio" ? texts[0] ?? "" : texts;
      },
      put(given) {
        for (const [place, item] of items.entries()) inputs[place].checked = [given].flat().includes(words(item));
      },
      judge() {
        const wrong = picked().filter((place) => !quiz.right(place));
        const missing = items.filter((_, place) => quiz.right(place) && !inputs[place].checked).length;
        const right = !wrong.length && !missing;
        if (type === "radio") return { right, reasons: picked() };
        if (right) return { right, reasons: quiz.reasons.map((_, place) => place) };
        const more = missing > 1 ? `${missing} more are right.` : "One more is right.";
        return { right, reasons: wrong, words: wrong.length ? "" : more };
      },
      missing: type === "radio" ? "Choose one first." : "Choose some first.",
    };
  }

  function typed(quiz, input, agrees) {
    const unit = quiz.box.querySelector(".hint").textContent.match(/, in (.+)\.$/)?.[1] ?? "";
    const label = element("label", {}, element("span", {}, "Your answer"), input, unit);
    input.autocomplete = "off";
    input.spellcheck = false;
    quiz.fields.append(label);
    return {
      given: () => input.value.trim(),
      put: (given) => { input.value = given; },
      judge() {
        const place = quiz.reasons.findIndex((reason) => agrees(input.value, reason));
        if (place >= 0) return { right: quiz.right(place), reasons: [place] };
        const unread = quiz.kind === "number" && Number.isNaN(number(input.value));
        return { right: false, reasons: [], words: unread ? "This could not be read as a number." : "Look again." };
      },
      missing: "Write an answer first.",
    };
  }

  function ordered(quiz) {
    const list = quiz.box.querySelector(".choices");
    const items = [...list.children];
    const name = new Map(items.map((item) => [item, words(item)]));
    const now = () => [...list.children];
    function move(item, by) {
      const other = now()[now().indexOf(item) + by];
      if (!other) return;
      if (by < 0) other.before(item); else other.after(item);
      settle();
      const [up, down] = item.querySelectorAll("button");
      (by < 0 ? (up.hidden ? down : up) : down.hidden ? up : down).focus();
      quiz.say(`${name.get(item)}: now ${now().indexOf(item) + 1} of ${items.length}.`);
    }
    // Nothing that does nothing: the first cannot go up, nor the last down.
    function settle() {
      for (const [place, item] of now().entries()) {
        const [up, down] = item.querySelectorAll("button");
        up.hidden = place === 0;
        down.hidden = place === items.length - 1;
      }
    }
    for (const item of items) {
      const ways = [["up", -1, "\u2191"], ["down", 1, "\u2193"]].map(([way, by, arrow]) => {
        const button = element("button", { type: "button", "aria-label": `Move ${way}: ${name.get(item)}` }, arrow);
        button.addEventListener("click", () => move(item, by));
        return button;
      });
      item.replaceChildren(element("span", {}, ...item.childNodes), element("span", { class: "moves" }, ...ways));
    }
    settle();
    return {
      given: () => now().map((item) => name.get(item)),
      put(given) {
        for (const one of given) list.append(...items.filter((item) => name.get(item) === one));
        settle();
      },
      judge() {
        const places = now().filter((item, place) => Number(item.dataset.place) === place).length;
        const right = places === items.length;
        return { right, reasons: [], words: right ? "" : `${places} of ${items.length} stand in their place.` };
      },
      missing: "",
    };
  }

  // An open question is judged by whoever wrote the answer.
  function written(quiz) {
    const text = element("textarea", { rows: "3" });
    const asked = element("span", {}, "Your answer (it stays in this browser)");
    quiz.fields.append(element("label", { class: "wide" }, asked, text));
    quiz.check.textContent = "Compare";
    const buttons = [["It says as much", true], ["Not yet", false]].map(([said, right]) => {
      const button = element("button", { type: "button" }, said);
      button.addEventListener("click", () => quiz.settle({ right, reasons: [] }));
      return button;
    });
    return {
      given: () => text.value.trim(),
      put: (given) => { text.value = given; },
      judge() {
        quiz.folded.open = true;
        quiz.tell("", "Compare yours with what is below.", [], element("p", { class: "self" }, ...buttons));
      },
      missing: "Write a few words first; then it is worth comparing.",
    };
  }

  class Quiz {
    constructor(box) {
      this.box = box;
      this.id = box.dataset.quiz;
      this.kind = box.dataset.kind;
      this.folded = box.querySelector("details");
      this.reasons = [...box.querySelectorAll(".reasons > li")];
      this.fields = element("fieldset");
      this.check = element("button", { type: "submit" }, "Check");
      this.said = element("div", { class: "said", role: "status" });
      this.build();
      this.way = kinds[this.kind](this);
      this.recall();
    }

    right(place) { return "right" in this.reasons[place].dataset; }

    build() {
      const question = this.box.querySelector(".question");
      question.id = `${this.box.id}-question`;
      this.fields.setAttribute("aria-labelledby", question.id);
      this.fields.append(...this.box.querySelectorAll(".choices"));
      const form = element("form", {}, this.fields, element("p", { class: "do" }, this.check));
      this.folded.before(form, this.said);
      form.addEventListener("submit", (event) => {
        event.preventDefault();
        if (!this.way.given().length) { this.tell("", this.way.missing, []); return; }
        const verdict = this.way.judge();
        if (verdict) this.settle(verdict);
      });
    }

    // Show a verdict, and keep it. Who was right stays so: trying the other answers takes nothing away.
    settle(verdict) {
      this.show(verdict);
      const given = this.way.given();
      progress?.change((kept) => {
        const right = verdict.right || (kept.quizzes[this.id]?.right ?? false);
        if (verdict.right || !right) kept.quizzes[this.id] = { right, given, at: new Date().toISOString() };
      });
    }

    show({ right, reasons, words = "" }) {
      const told = reasons.map((place) => this.reasons[place]);
      this.tell(right ? "right" : "wrong", words, told, ...(right ? this.closing() : []));
      if (right) this.box.dataset.state = "right";
      else this.box.dataset.state ??= "wrong";
    }

    // What there is to say of the whole; of an open question that is the answer, and stands open below.
    closing() {
      const parts = this.kind === "open" ? [] : this.box.querySelectorAll(".closing > *");
      return [...parts].map((part) => part.cloneNode(true));
    }

    tell(verdict, more, reasons, ...others) {
      const head = element("p", {}, more);
      if (verdict) head.prepend(element("strong", {}, verdict === "right" ? "Right." : "Not yet."), " ");
      // Of several the answer is repeated before its reason; of one the reason is enough.
      const shown = reasons.flatMap((reason) => [...reason.children].slice(reasons.length > 1 ? 0 : 1))
        .map((part) => part.cloneNode(true));
      for (const part of [...shown, ...others]) {
        for (const named of part.querySelectorAll("[id]")) named.removeAttribute("id"); // a name is given once
      }
      this.said.className = `said ${verdict}`;
      this.said.replaceChildren(head, ...shown, ...others);
      if (shown[0]?.tagName === "P" && !more && reasons.length === 1) { // one sentence after the verdict
        head.append(...shown[0].childNodes);
        shown[0].remove();
      }
    }

    say(words) { this.tell("", words, []); }

    recall() {
      const kept = progress?.read().quizzes[this.id];
      if (!kept) return;
      if (typeof kept.given === "string" || Array.isArray(kept.given)) { // else it was given by something else
        this.way.put(kept.given);
        if (this.kind === "open") this.show({ right: kept.right, reasons: [] });
        else if (this.way.given().length) this.show(this.way.judge());
      }
      if (kept.right) this.box.dataset.state = "right";
    }
  }

  from_page.openInTime(document.querySelectorAll(".quiz[data-quiz]"), (box) => new Quiz(box));
})();
