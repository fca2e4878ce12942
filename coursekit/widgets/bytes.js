// Large things that a script needs, such as weights: inside its data in a notebook, a file beside a page.

/** Bytes that are written as text. */
export function decoded(text) {
  const letters = atob(text);
  const bytes = new Uint8Array(letters.length);
  for (let at = 0; at < bytes.length; at += 1) bytes[at] = letters.charCodeAt(at);
  return bytes;
}

/** A script that was fetched and has run, with what it holds. No other file may be read by a page from a disk. */
export async function scriptAt(address) {
  const script = document.createElement("script");
  await new Promise((resolve, reject) => {
    Object.assign(script, { src: address, onload: resolve, onerror: () => reject(new Error(`no ${address}`)) });
    document.head.append(script);
  });
  return script;
}

/** The bytes at an address: written in it, or held by a script. */
export async function bytesAt(address) {
  if (address.startsWith("data:")) return decoded(address.slice(address.indexOf(",") + 1));
  return decoded((await scriptAt(address)).bytes);
}

/** Wait until a person comes near a part of the page. */
export function near(el) {
  return new Promise((resolve) => {
    const watch = new IntersectionObserver((seen) => {
      if (!seen.some(({ isIntersecting }) => isIntersecting)) return;
      watch.disconnect();
      resolve();
    }, { rootMargin: "600px" });
    watch.observe(el);
  });
}
