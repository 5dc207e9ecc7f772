// One draft: its sentences and their proof, its text as it arrives, typing with the checks beside it.

import { call, go, say, word } from "./pages.js";

const PAUSE_MS = 30; // between two keys of a quick typist there is more
const narrow = matchMedia("(max-width: 999px)");

/** Brings the draft in `main` to life. */
export function start(main) {
  const draft = main.querySelector("[data-draft]");
  light(draft);
  copy(draft);
  edit(draft.querySelector("[data-editor]"));
  if (draft.dataset.stream) import("./stream.js").then((stream) => stream.follow(draft));
}

/** A sentence lights up its facts, a fact its sentences: on hover, focus and click. Arrows go from one to the next. */
function light(draft) {
  const sentences = [...draft.querySelectorAll("[data-s]")];
  const facts = [...draft.querySelectorAll("#proof [data-fact]")];
  if (!sentences.length) return;
  const factsOf = (sentence) => sentence.dataset.facts.split(" ").filter(Boolean);
  const dark = () => draft.querySelectorAll(".lit").forEach((node) => node.classList.remove("lit"));
  let held = null;

  function lit(nodes, scroll) {
    dark();
    nodes.forEach((node) => node.classList.add("lit"));
    const first = scroll && !narrow.matches && nodes.find((node) => node.dataset.fact);
    if (first) reveal(draft.querySelector(".margin"), first);
  }
  const ofSentence = (sentence) => [sentence, ...factsOf(sentence).map((n) => facts[n])];
  const ofFact = (fact) => [fact, ...sentences.filter((s) => factsOf(s).includes(fact.dataset.fact))];
  const around = (node) => (node.dataset.fact ? ofFact(node) : ofSentence(node));

  function hold(sentence) {
    held = sentence;
    sentences.forEach((s) => (s.tabIndex = s === sentence ? 0 : -1));
    lit(ofSentence(sentence), true);
    if (narrow.matches) drawer(draft, sentence, factsOf(sentence).map((n) => facts[n]));
  }
  sentences.forEach((sentence, n) => {
    sentence.tabIndex = n ? -1 : 0;
    sentence.addEventListener("focus", () => hold(sentence));
    sentence.addEventListener("keydown", (event) => {
      const step = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 }[event.key];
      if (event.key === "Escape") sentence.blur();
      if (!step || event.altKey || event.ctrlKey || event.metaKey) return;
      event.preventDefault();
      sentences[(n + step + sentences.length) % sentences.length].focus();
    });
    sentence.addEventListener("blur", () => {
      held = null;
      dark();
    });
  });
  for (const node of [...sentences, ...facts]) {
    node.addEventListener("mouseenter", () => lit(around(node), !node.dataset.fact));
    node.addEventListener("mouseleave", () => (held ? lit(ofSentence(held)) : dark()));
  }
  for (const fact of facts) {
    fact.addEventListener("focusin", () => lit(ofFact(fact)));
    fact.addEventListener("focusout", dark);
  }
}

/** Scrolls the margin, and only it, as little as it takes to show a fact. */
function reveal(margin, fact) {
  const box = margin.getBoundingClientRect();
  const line = fact.getBoundingClientRect();
  if (line.top < box.top) margin.scrollTop -= box.top - line.top + 32;
  if (line.bottom > box.bottom) margin.scrollTop += line.bottom - box.bottom + 32;
}

/** On a narrow page the proof of a sentence comes up from below; the text keeps its place. */
function drawer(draft, sentence, facts) {
  const box = draft.querySelector("#drawer");
  const list = box.querySelector("ul");
  list.replaceChildren(...facts.map((fact) => {
    const line = fact.cloneNode(true);
    line.removeAttribute("id");
    line.classList.remove("lit");
    return line;
  }));
  if (!facts.length) {
    const line = document.createElement("li");
    line.className = "fact soft";
    line.textContent = word(sentence.classList.contains("rendered") ? "proof_rule" : "proof_plain");
    list.append(line);
  }
  box.hidden = false;
  const covered = sentence.getBoundingClientRect().bottom - box.getBoundingClientRect().top + 16;
  if (covered > 0) scrollBy({ top: covered });
  box.querySelector("[data-close]").onclick = () => {
    sentence.focus({ preventScroll: true });
    box.hidden = true;
  };
}

/** The text for other programs: with its paragraphs where they take HTML, else plain. */
function copy(draft) {
  for (const button of draft.querySelectorAll("[data-copy]")) {
    button.addEventListener("click", async () => {
      const done = await put(draft, button.dataset.copy === "rich");
      say(word(done ? "copied" : "copy_by_hand"));
      const before = button.textContent;
      button.textContent = word(done ? "copied" : "copy_by_hand");
      setTimeout(() => (button.textContent = before), done ? 1500 : 6000);
    });
  }
  for (const link of draft.querySelectorAll("[data-download]")) {
    link.addEventListener("click", (event) => {
      event.preventDefault();
      save(link.getAttribute("href"));
    });
  }
}

async function put(draft, rich) {
  const subject = draft.querySelector(".sheet .subject")?.innerText ?? "";
  const blocks = [...draft.querySelectorAll(".sheet .text > *")].map(plain);
  const text = [subject, ...blocks].filter(Boolean).join("\n\n");
  try {
    if (!rich) await navigator.clipboard.writeText(text);
    else await navigator.clipboard.write([new ClipboardItem({ "text/plain": blob(text, "text/plain"), "text/html": blob(html(blocks), "text/html") })]);
    return true;
  } catch {
    return select(draft.querySelector(".sheet .text")); // a frame that may not write the clipboard
  }
}

const blob = (text, type) => new Blob([text], { type });

/** Paragraphs as HTML: whatever the text holds stays text. */
function html(blocks) {
  const root = document.createElement("div");
  for (const block of blocks) {
    const paragraph = document.createElement("p");
    block.split("\n").forEach((line, n) => paragraph.append(...(n ? [document.createElement("br"), line] : [line])));
    root.append(paragraph);
  }
  return root.innerHTML;
}

/** Marks the text; whether the browser copied it then. */
function select(node) {
  getSelection().selectAllChildren(node);
  return document.execCommand("copy");
}

function plain(block) {
  const copied = block.cloneNode(true);
  copied.querySelectorAll(".reason").forEach((node) => node.remove());
  copied.querySelectorAll("br").forEach((node) => node.replaceWith("\n"));
  return copied.textContent.trim();
}

/** A download that carries the page's pass, which a link cannot. */
async function save(path) {
  const answer = await call(path, { headers: { Accept: "*/*" } });
  if (!answer.ok) return go(path);
  const link = document.createElement("a");
  link.href = URL.createObjectURL(await answer.blob());
  link.download = /filename="([^"]+)"/.exec(answer.headers.get("Content-Disposition"))?.[1] ?? "draft";
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

/** The editor: grows with its text, is checked while typing, Ctrl+Enter saves, Esc leaves. */
function edit(form) {
  if (!form) return;
  const body = form.querySelector("textarea");
  const verdicts = form.querySelector("#verdicts");
  let asked = 0;
  let checking = false;
  let soon;
  const grow = () => {
    body.style.height = "auto";
    body.style.height = `${body.scrollHeight + 4}px`;
  };
  // At once when nothing is being checked, else as soon as that answer is there: never two at a time, never a wait.
  async function check() {
    checking = true;
    const mine = asked;
    try {
      const answer = await call(form.dataset.check, { method: "POST", body: new URLSearchParams(new FormData(form)) });
      if (answer.ok && mine === asked) verdicts.innerHTML = await answer.text();
    } catch {
      // Saving will check again.
    }
    checking = false;
    if (mine !== asked) next();
  }
  const next = () => {
    clearTimeout(soon);
    soon = setTimeout(() => checking || check(), PAUSE_MS);
  };
  form.addEventListener("input", () => {
    asked += 1;
    grow();
    next();
  });
  form.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) form.querySelector("button.main").click();
    if (event.key === "Escape") go(form.querySelector("[data-escape]").getAttribute("href"));
  });
  grow();
  body.setSelectionRange(0, 0);
  body.focus();
}
