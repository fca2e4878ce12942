// The page "Where you are": progress out into a file, in from one, or forgotten after a question.
(() => {
  "use strict";
  const keeping = document.querySelector(".keeping");
  if (!keeping) return;
  const { progress } = window.coursekit;
  const find = (selector) => keeping.querySelector(selector);
  const say = (sentence) => { find(".came").textContent = sentence; };

  find(".export").addEventListener("click", () => {
    const address = URL.createObjectURL(new Blob([progress.export()], { type: "application/json" }));
    Object.assign(document.createElement("a"), { href: address, download: "progress.json" }).click();
    setTimeout(() => URL.revokeObjectURL(address), 10_000);
    say("Saved as progress.json, where your browser keeps what it downloads.");
  });

  find(".import input").addEventListener("change", async ({ target }) => {
    const [file] = target.files;
    if (!file) return;
    try { say(progress.import(await file.text())); } catch (error) { say(error.message); }
    target.value = ""; // the same file may be chosen again
  });

  const sure = find(".sure");
  find(".clear").addEventListener("click", () => { sure.returnValue = ""; sure.showModal(); });
  sure.addEventListener("close", () => {
    if (sure.returnValue !== "yes") return;
    progress.clear();
    try { localStorage.removeItem("coursekit-place"); } catch { /* none was kept */ }
    say("Forgotten.");
  });
})();
