// Gives every flipbook that is on the page its slider. A classic script: pages opened from a file run it as well.
// It looks for what has no slider yet, so it may stand on a page as often as there are flipbooks.
(() => {
  "use strict";
  for (const book of document.querySelectorAll(".coursekit-flipbook:not([data-open])")) {
    const { label, start, frames } = JSON.parse(book.querySelector("script").textContent);
    const picture = book.querySelector("img");
    const bar = document.createElement("label");
    const slider = document.createElement("input");
    const shown = document.createElement("span");
    const show = () => {
      const frame = frames[slider.value];
      picture.src = frame.picture;
      picture.alt = frame.alt;
      shown.textContent = frame.value;
      slider.setAttribute("aria-valuetext", frame.value);
    };
    book.dataset.open = "";
    bar.append(label, slider, shown);
    bar.style.cssText = "display: flex; gap: 0.7em; align-items: center; min-height: 2.5em";
    bar.style.fontFamily = "var(--sans, inherit)";
    bar.style.maxWidth = `max(20em, ${picture.getAttribute("width")}px)`;
    slider.style.cssText = "flex: 1; min-width: 0; height: 2em; accent-color: var(--blue, #0072b2)";
    shown.style.cssText = "min-width: 4em; font-variant-numeric: tabular-nums";
    // The slider itself says its value; this one is for the eyes.
    shown.setAttribute("aria-hidden", "true");
    Object.assign(slider, { type: "range", min: 0, max: frames.length - 1, step: 1, value: start });
    slider.setAttribute("aria-label", label);
    slider.addEventListener("input", show);
    // A notebook would take the arrow keys for itself, to go from cell to cell.
    slider.addEventListener("keydown", (event) => event.stopPropagation());
    // Where the pictures are files of their own, they are fetched when somebody is about to leaf through.
    const fetch = () => frames.forEach((frame) => { new Image().src = frame.picture; });
    slider.addEventListener("focus", fetch, { once: true });
    slider.addEventListener("pointerenter", fetch, { once: true });
    book.prepend(bar);
    show();
  }
})();
