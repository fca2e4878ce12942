// What a notebook adds to a report that was just made: it is read aloud, its keys stay its own, what was asked
// can be copied into a cell, and all faults be opened at once. Without it the report says the same.
(() => {
  "use strict";
  const button = (text, press) => {
    const made = document.createElement("button");
    Object.assign(made, { type: "button", textContent: text });
    made.style.cssText = "padding: 0.3em 0.9em; font: inherit; font-size: 0.9em; color: inherit; background: transparent;"
      + " border: 1px solid currentcolor; border-radius: 0.4em; cursor: pointer";
    made.addEventListener("click", press);
    return made;
  };

  for (const report of document.querySelectorAll(".coursekit-report:not([data-open])")) {
    const faults = [...report.querySelectorAll("details")];
    report.dataset.open = "";
    // A notebook would take Enter and the arrows for itself.
    report.addEventListener("keydown", (event) => event.stopPropagation());

    const said = document.createElement("p");
    said.setAttribute("role", "status");
    said.style.cssText = "position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%)";
    report.append(said);
    const first = report.querySelector("details[open] summary");
    const words = [report.querySelector(".points"), first].filter(Boolean).map((one) => one.textContent).join(" ");
    // What stands in a region from the start is not read; what comes into it is.
    setTimeout(() => { said.textContent = words; }, 300);

    for (const asked of navigator.clipboard ? report.querySelectorAll("summary + pre") : []) {
      const copy = button("Copy", async () => {
        const done = await navigator.clipboard.writeText(asked.textContent).then(() => true, () => false);
        copy.textContent = done ? "Copied" : "Not allowed here";
        said.textContent = `${copy.textContent}.`;
      });
      copy.setAttribute("aria-label", "Copy what was asked");
      asked.after(copy);
    }
    if (faults.length > 1) {
      const all = button("Open all", () => {
        const open = faults.some((one) => !one.open);
        faults.forEach((one) => { one.open = open; });
        name();
      });
      const name = () => { all.textContent = faults.every((one) => one.open) ? "Fold all" : "Open all"; };
      faults.forEach((one) => one.addEventListener("toggle", name));
      report.append(all);
      name();
    }
  }
})();
