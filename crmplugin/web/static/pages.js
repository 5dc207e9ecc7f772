// What every page does: forms without a reload, lists that look again, words that are said aloud.
// Without this script everything can still be read, and every form still works.

document.documentElement.classList.add("script");
const words = JSON.parse(document.body.dataset.words);
const pass = document.querySelector("meta[name=pass]")?.content;

/** A word of the interface. */
export function word(key) {
  return words[key] ?? key;
}

/** Says something to a screen reader. */
export function say(text) {
  document.getElementById("say").textContent = text;
}

/** fetch as this page: its pass where it has one, a page as the answer. */
export function call(path, options = {}) {
  const headers = new Headers(options.headers);
  if (!headers.has("Accept")) headers.set("Accept", "text/html");
  if (pass) headers.set("Authorization", `Bearer ${pass}`);
  return fetch(path, { ...options, headers, credentials: pass ? "omit" : "same-origin" });
}

/** Puts the main part of another page in place of this one's; focus and reading place stay. */
export function show(html, path) {
  const page = new DOMParser().parseFromString(html, "text/html");
  const next = page.querySelector("main");
  const old = document.querySelector("main");
  const focused = document.activeElement?.id;
  const known = new Set([...old.querySelectorAll(".rows > li[id]")].map((row) => row.id));
  old.replaceWith(document.adoptNode(next));
  const top = page.querySelector(".top");
  if (top && path) document.querySelector(".top")?.replaceWith(document.adoptNode(top));
  document.title = page.title;
  if (path && !pass && path !== location.pathname + location.search) history.pushState(null, "", path);
  if (known.size) for (const row of next.querySelectorAll(".rows > li[id]")) row.classList.toggle("new", !known.has(row.id));
  const place = next.querySelector("[data-focus]") ?? (focused && document.getElementById(focused));
  if (place) place.focus({ preventScroll: true });
  else if (focused) next.focus({ preventScroll: true });
  start(next);
}

const bar = document.getElementById("bar");
const PATIENCE_MS = 400;

/** A line at the foot of the page; an empty one takes it away. */
function foot(text) {
  bar.textContent = text ?? "";
  bar.hidden = !text;
}

/** Says that something takes long, and for how long it has, until it is over. */
async function patiently(doing) {
  const began = Date.now();
  let beat;
  const soon = setTimeout(() => {
    foot(word("working"));
    beat = setInterval(() => foot(word("still").replace("{n}", Math.round((Date.now() - began) / 1000))), 1000);
  }, PATIENCE_MS);
  try {
    return await doing;
  } finally {
    clearTimeout(soon);
    clearInterval(beat);
    foot(navigator.onLine ? "" : word("away"));
  }
}

addEventListener("offline", () => foot(word("away")));
addEventListener("online", () => {
  foot(word("back_again"));
  setTimeout(() => foot(""), 3000);
});

function complain(text) {
  const notice = document.getElementById("notice");
  if (!notice) return say(text);
  notice.textContent = text;
  notice.hidden = false;
  notice.scrollIntoView({ block: "nearest" });
}

/** Follows an answer: its page in place, or what it says is wrong. Whether the page is there. */
async function take(answer, push) {
  const html = await answer.text();
  const problem = !answer.ok && new DOMParser().parseFromString(html, "text/html").querySelector("#problem");
  if (problem) {
    const what = [problem.querySelector("h1"), problem.querySelector("p")].map((node) => node?.textContent.trim());
    complain(what.filter(Boolean).join(". "));
    return false;
  }
  const path = new URL(answer.url).pathname + new URL(answer.url).search;
  show(html, push ? path : null);
  const seal = document.querySelector(".seal, .outcome h2");
  if (seal) say(seal.textContent.trim());
  return true;
}

/** Loads a page of ours in place; whether it came. */
export async function go(path, { push = true } = {}) {
  try {
    return await take(await patiently(call(path)), push);
  } catch {
    complain(word("network"));
    return false;
  }
}

/** Sends a form and shows the answer in place. */
async function send(form, button) {
  if (button?.getAttribute("aria-busy") === "true") return;
  button?.setAttribute("aria-busy", "true");
  try {
    const body = new URLSearchParams(new FormData(form, button));
    await take(await patiently(call(form.action, { method: "POST", body })), true);
  } catch {
    complain(word("network"));
  } finally {
    button?.removeAttribute("aria-busy");
  }
}

/** Submits a form by script; whether it is one of ours. */
function submit(form, button) {
  if (form.matches("[data-live]")) send(form, button ?? form.querySelector("button:not([type=button])"));
  else if (form.method === "get" && !pass) go(`${new URL(form.action).pathname}?${new URLSearchParams(new FormData(form))}`);
  else return false;
  return true;
}

document.addEventListener("submit", (event) => {
  if (submit(event.target, event.submitter)) event.preventDefault();
});

// A frame that may not submit forms fires no submit event, so a button's click is where we step in.
document.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  const form = button?.form;
  if (!form || button.type !== "submit" || !form.matches("[data-live]")) return;
  event.preventDefault();
  if (form.noValidate || form.reportValidity()) submit(form, button);
});

document.addEventListener("click", (event) => {
  const link = event.target.closest("a[data-live], .panel a.row");
  if (!link || event.metaKey || event.ctrlKey || event.shiftKey) return;
  event.preventDefault();
  go(link.getAttribute("href"));
});

document.addEventListener("change", (event) => {
  if (event.target.matches("[data-submits]")) submit(event.target.form);
  const many = event.target.form?.dataset.many;
  if (many) {
    const n = event.target.form.elements.length && document.querySelectorAll("input[name=draft]:checked").length;
    document.getElementById("chosen").textContent = n ? many.replace("#", n) : "";
  }
});

addEventListener("popstate", () => go(location.href, { push: false }));

let again;
let etag = null;

/** Looks at this page again and again, as long as it says so; an unchanged one costs nothing. */
function lookAgain(main) {
  clearTimeout(again);
  const wait = Number(main.dataset.refresh);
  if (!wait) return;
  etag = main.dataset.etag ?? null;
  again = setTimeout(() => refresh(main), document.hidden ? wait * 4 : wait);
}

async function refresh(main) {
  try {
    const path = main.querySelector("[data-here]")?.dataset.here ?? location.href;
    const answer = await call(path, { headers: etag ? { "If-None-Match": etag } : {}, cache: "no-store" });
    const stamp = answer.headers.get("ETag");
    if (answer.status === 200 && document.querySelector("main") === main && !main.querySelector("details[open], [data-editor], input:checked")) {
      // Also at the first look: what changed since the page was made would else be taken for known.
      show(await answer.text());
      document.querySelector("main").dataset.etag = stamp;
    }
  } catch {
    // The server is away for a moment; the next look says more.
  }
  lookAgain(document.querySelector("main"));
}

/** Fetches what takes longer than the page itself, and puts it in its place. */
async function fetchLater(main) {
  const path = main.dataset.later;
  if (!path) return;
  try {
    const answer = await patiently(call(path));
    if (answer.ok && document.querySelector("main") === main) show(await answer.text());
  } catch {
    complain(word("network"));
  }
}

/** Brings a new main part to life. */
function start(main) {
  fetchLater(main);
  if (main.querySelector("[data-draft]")) import("./draft.js").then((draft) => draft.start(main));
  lookAgain(main);
}

start(document.querySelector("main"));
