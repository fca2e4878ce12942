// What not every page needs at once is in files of its own. They are classic scripts, which a page from a disk may load.
(window.coursekit ??= {}).load = (file) => new Promise((done, failed) => {
  const script = document.createElement("script");
  script.src = `${document.documentElement.dataset.content_root || "./"}_static/${file}`;
  script.addEventListener("load", done);
  script.addEventListener("error", () => failed(new Error(`no ${file}`)));
  document.head.append(script);
});
