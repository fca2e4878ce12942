// What a page adds when scripts run: day and night, copying code, where you are and were, keys for what scrolls.
(() => {
  "use strict";
  const root = document.documentElement;

  function themeButton() {
    const order = ["auto", "light", "dark"];
    const button = document.querySelector(".theme");
    const show = () => {
      const what = order.includes(root.dataset.theme) ? root.dataset.theme : "auto";
      button.title = button.firstChild.textContent = `Theme: ${what}`;
    };
    button.addEventListener("click", () => {
      root.dataset.theme = order[(order.indexOf(root.dataset.theme) + 1) % order.length];
      try { localStorage.setItem("theme", root.dataset.theme); } catch { /* kept for this page only */ }
      show();
    });
    show();
  }

  function copyButtons() {
    if (!navigator.clipboard) return;
    for (const pre of document.querySelectorAll(".cell_input pre, .source pre, div[class*='highlight-'] > .highlight > pre")) {
      if (pre.closest(".cell_output") || pre.parentElement.querySelector(".copy")) continue;
      const button = document.createElement("button");
      button.type = "button";
      button.className = "copy";
      button.textContent = "Copy";
      button.addEventListener("click", async () => {
        try {
          await navigator.clipboard.writeText(pre.textContent.trimEnd());
          button.textContent = "Copied";
        } catch { button.textContent = "Not allowed here"; }
        setTimeout(() => { button.textContent = "Copy"; }, 1500);
      });
      pre.parentElement.append(button);
    }
  }

  // What is wider than the page scrolls by itself; the keyboard must reach it. What is not is seen when the browser
  // has laid it out: to ask before would have it lay out the whole page at once.
  function reachableScrollers() {
    const watch = new ResizeObserver((boxes) => {
      for (const { target: box } of boxes) {
        if (box.scrollWidth > box.clientWidth + 1) box.tabIndex = 0;
        else if (box !== document.activeElement) box.removeAttribute("tabindex");
      }
    });
    for (const box of document.querySelectorAll("pre, .table-frame, .formula, .contents")) {
      box.tabIndex = 0;
      watch.observe(box);
    }
  }

  function whereYouAre() {
    const all = [...document.querySelectorAll(".contents li ul a[href^='#']")];
    const links = new Map(all.map((link) => [link.hash.slice(1), link]));
    if (!links.size || !("IntersectionObserver" in window)) return;
    const sections = [...links.keys()].map((id) => document.getElementById(id)).filter(Boolean);
    const watch = new IntersectionObserver(() => {
      const last = sections.filter((section) => section.getBoundingClientRect().top < innerHeight / 3).pop();
      for (const [id, link] of links) link.classList.toggle("seen", id === last?.id);
      keepPlace(last && links.get(last.id));
      if (last) keepInSight(links.get(last.id));
    }, { threshold: [0, 0.1, 0.5] });
    sections.forEach((section) => watch.observe(section));
  }

  // The contents are longer than the window; what one reads stays in sight there. The page itself never moves.
  function keepInSight(link) {
    const contents = document.querySelector(".contents");
    const [inside, outside] = [link, contents].map((one) => one.getBoundingClientRect());
    if (!outside.height || (inside.top >= outside.top + 40 && inside.bottom <= outside.bottom - 40)) return;
    contents.scrollTop += inside.top - outside.top - outside.height / 3;
  }

  // Also when they are opened on a phone.
  function showPageInContents() {
    const here = document.querySelector(".contents [aria-current]");
    if (here) new ResizeObserver(() => keepInSight(here)).observe(document.querySelector(".contents"));
  }

  // Which section of which lesson was read last; the first page leads back there.
  function keepPlace(link) {
    const { lesson } = document.body.dataset;
    if (!lesson) return;
    const place = { lesson, section: link?.hash ?? "", title: link?.textContent ?? "" };
    try { localStorage.setItem("coursekit-place", JSON.stringify(place)); } catch { /* begins at lesson 1 again */ }
  }

  function goOn() {
    const link = document.querySelector(".go-on");
    if (!link) return;
    let place;
    try { place = JSON.parse(localStorage.getItem("coursekit-place")); } catch { return; }
    // The lesson may have moved since, or be gone; what is kept is only believed where the page has it too.
    const lessons = [...document.querySelectorAll(".contents li[data-lesson]")];
    const lesson = lessons.find((item) => item.dataset.lesson === place?.lesson);
    if (!lesson) return;
    const section = /^#[\w-]+$/.test(place.section) ? place.section : "";
    link.href = lesson.querySelector("a").href + section;
    link.textContent = `Go on with lesson ${lesson.querySelector(".number").textContent}`;
    if (section) link.title = String(place.title);
  }

  // The browser has laid out already what one is near to.
  function isSeen({ firstElementChild: inside }) {
    return inside.checkVisibility?.({ contentVisibilityAuto: true });
  }

  // What is large goes in parts, so that none keeps somebody waiting. What is added to it afterwards waits for nothing.
  function* parts(pieces) {
    for (const piece of pieces) {
      const isLarge = piece.children.length > 1 && piece.getElementsByTagName("*").length > 20 && !isSeen(piece);
      piece.classList.toggle("in-parts", isLarge);
      yield piece;
      if (isLarge) yield* parts(piece.children);
      piece.classList.remove("in-parts");
    }
  }

  // What stands below, piece by piece, when somebody is here and nothing else is to be done. Each says itself that it
  // is shown: to take the mark from the page would have the browser look at all of its elements again.
  function layOutTheRest() {
    if (root.dataset.rest !== "later") return;
    const pieces = parts(document.querySelectorAll("article > section > section > *"));
    const next = () => {
      const { value: piece } = pieces.next();
      if (piece) piece.style.contentVisibility = "visible";
      return piece;
    };
    const go = (deadline) => {
      do {
        const piece = next();
        if (!piece) return;
        piece.getBoundingClientRect();
      } while (deadline?.timeRemaining() > 35); // of 50: more would keep somebody waiting
      from_page.whenIdle(go);
    };
    // Who goes to a place on the page finds it where it stays.
    addEventListener("click", ({ target }) => {
      if (target.closest?.("a[href^='#']")) while (next());
    }, true);
    from_page.whenSomebodyIsHere(go);
  }

  // The letters of our own, one file after another, when all else is there: the next page has them at hand. This one
  // keeps those that it began with, since other letters would move the text.
  async function fetchFonts() {
    try {
      for (const font of document.fonts) await font.load();
      localStorage.setItem("fonts", "here");
    } catch { /* the system's letters do */ }
  }

  themeButton();
  copyButtons();
  showPageInContents();
  whereYouAre();
  goOn();
  reachableScrollers();
  from_page.whenLoaded(fetchFonts);
  layOutTheRest();
})();
