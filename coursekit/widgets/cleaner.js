// The data cleaner: labels to be looked through and corrected, beside a kernel.
import { element, settle } from "./drawing.js";
import { SHEET, ownKeys, pictures } from "./gallery.js";
import { LOOKS, lookingThrough } from "./looking_through.js";

function render({ model, el }) {
  const images = pictures(model);
  const part = lookingThrough((what) => model.send(what), images);
  const update = () => part.update(model.get("state"));
  ownKeys(el);
  settle(el, "cleaner", SHEET + LOOKS, element("h3", { textContent: "Is each label right?" }), ...part.parts);
  update();
  model.on("change:state", update);
  return () => {
    model.off("change:state", update);
    images.close();
  };
}

export default { render };
