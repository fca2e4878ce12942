// A slider to go through pictures that were drawn beforehand.
import { choose, element, settle, slider } from "./drawing.js";

const STYLE = `
  & label { max-width: max(20em, var(--width)); }
  & img { max-width: 100%; height: auto; }
  & .value { min-width: 4em; }`;

function render({ model, el }) {
  const { label, start, frames } = model.get("data");
  const before = frames.findIndex(({ value }) => value === model.get("state").value);
  const picture = el.querySelector("img") || element("img");
  const show = (number) => {
    const { picture: src, alt, value } = frames[number];
    Object.assign(picture, { src, alt });
    choose(model, { value });
  };
  const bar = slider(label, { min: 0, max: frames.length - 1, value: before < 0 ? start : before }, (number) => frames[number].value, show);
  // Where the pictures are files of their own, they are fetched when somebody is about to leaf through.
  const fetch = () => frames.forEach((frame) => { new Image().src = frame.picture; });
  bar.input.addEventListener("focus", fetch, { once: true });
  bar.input.addEventListener("pointerenter", fetch, { once: true });
  el.style.setProperty("--width", `${picture.getAttribute("width") || 0}px`);
  settle(el, "flipbook", STYLE, bar.row, picture);
  show(bar.read());
}

export default { render };
