// What a term means, on a card beside it: while the mouse is over it, while the keyboard is on it, after a tap.
// Escape takes the card away, the mouse may move onto it, and without scripts a term is a link to the glossary.
(() => {
  "use strict";
  const SELECTOR = "a:has(> .std-term)";
  if (!document.querySelector(SELECTOR)) return;
  let terms = {};
  from_page.whenLoaded(async () => {
    try { await window.coursekit.load("term_definitions.js"); } catch { return; } // a term stays a link
    ({ terms } = window.coursekit);
  });
  const card = document.createElement("div");
  card.id = "term-card";
  card.className = "term-card";
  card.setAttribute("role", "tooltip");
  card.popover = "manual";
  let shown = null;
  let waiting = 0;
  let pointer = "mouse";

  const termAt = (target) => target instanceof Element && target.closest(SELECTOR);

  // Under the term if there is room, else above it, and never beyond the window.
  function place() {
    if (!shown) return;
    const [word] = shown.getClientRects();
    const { offsetWidth: width, offsetHeight: height } = card;
    const left = Math.min(Math.max(8, word.left), document.documentElement.clientWidth - width - 8);
    const below = word.bottom + 6 + height <= innerHeight;
    card.style.left = `${left}px`;
    card.style.top = `${below ? word.bottom + 6 : Math.max(8, word.top - height - 6)}px`;
  }

  function show(link) {
    clearTimeout(waiting);
    const known = terms[decodeURIComponent(link.hash.slice(1))];
    if (link === shown || !known) return;
    hide();
    const head = document.createElement("p");
    head.className = "term-name";
    head.textContent = known.term;
    const text = document.createElement("div");
    text.innerHTML = known.meaning;
    card.replaceChildren(head, text);
    if (pointer === "touch") {
      const more = document.createElement("p");
      more.className = "term-more";
      more.textContent = "Tap the word again for the glossary.";
      card.append(more);
    }
    shown = link;
    link.setAttribute("aria-describedby", card.id);
    card.showPopover();
    place();
  }

  function hide() {
    clearTimeout(waiting);
    if (!shown) return;
    shown.removeAttribute("aria-describedby");
    shown = null;
    card.hidePopover();
  }

  function later(what, milliseconds) {
    clearTimeout(waiting);
    waiting = setTimeout(what, milliseconds);
  }

  document.querySelector("main").append(card);
  document.addEventListener("pointerover", (event) => {
    if (event.pointerType === "touch") return;
    const link = termAt(event.target);
    if (link) later(() => show(link), shown ? 0 : 150);
    else if (card.contains(event.target)) clearTimeout(waiting);
    else if (document.activeElement !== shown || !shown?.matches(":focus-visible")) later(hide, 250);
  });
  document.addEventListener("focusin", (event) => {
    const link = termAt(event.target);
    if (link && link.matches(":focus-visible")) show(link);
  });
  document.addEventListener("focusout", (event) => { if (termAt(event.target) === shown) hide(); });
  document.addEventListener("pointerdown", (event) => {
    pointer = event.pointerType;
    if (shown && pointer === "touch" && termAt(event.target) !== shown && !card.contains(event.target)) hide();
  });
  // The first tap shows the card, the second follows the link.
  document.addEventListener("click", (event) => {
    const link = termAt(event.target);
    if (!link || pointer !== "touch" || link === shown || !terms[decodeURIComponent(link.hash.slice(1))]) return;
    event.preventDefault();
    show(link);
  });
  document.addEventListener("keydown", (event) => {
    pointer = "keyboard";
    if (event.key === "Escape") hide();
  });
  addEventListener("scroll", place, { passive: true });
  addEventListener("resize", place);
})();
