// What a page adds when scripts run: day and night, copying code, where you are, keys for what scrolls.
(() => {
  "use strict";
  const root = document.documentElement;

  function themeButton() {
    const order = ["auto", "light", "dark"];
    const button = document.createElement("button");
    button.type = "button";
    const show = () => {
      const what = order.includes(root.dataset.theme) ? root.dataset.theme : "auto";
      button.innerHTML = `<span>Theme: </span>${what}`;
    };
    button.addEventListener("click", () => {
      root.dataset.theme = order[(order.indexOf(root.dataset.theme) + 1) % order.length];
      try { localStorage.setItem("theme", root.dataset.theme); } catch { /* kept for this page only */ }
      show();
    });
    show();
    document.querySelector(".top").append(button);
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

  // What is wider than the page scrolls by itself; the keyboard must reach it.
  function reachableScrollers() {
    for (const box of document.querySelectorAll("pre, .table-frame, .formula, .contents")) {
      if (box.scrollWidth > box.clientWidth + 1) box.tabIndex = 0;
      else box.removeAttribute("tabindex");
    }
  }

  function whereYouAre() {
    const links = new Map([...document.querySelectorAll(".contents li ul a")].map((link) => [link.hash.slice(1), link]));
    if (!links.size || !("IntersectionObserver" in window)) return;
    const sections = [...links.keys()].map((id) => document.getElementById(id)).filter(Boolean);
    const watch = new IntersectionObserver(() => {
      const last = sections.filter((section) => section.getBoundingClientRect().top < innerHeight / 3).pop();
      for (const [id, link] of links) link.classList.toggle("seen", id === last?.id);
    }, { threshold: [0, 0.1, 0.5] });
    sections.forEach((section) => watch.observe(section));
  }

  themeButton();
  copyButtons();
  whereYouAre();
  reachableScrollers();
  addEventListener("resize", reachableScrollers);
  addEventListener("load", reachableScrollers);
  document.addEventListener("toggle", reachableScrollers, true);
})();
