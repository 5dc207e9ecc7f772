// A draft's text as it is written: pieces arrive grey, each sentence is checked, then the whole sheet takes their place.

import { call, go, word } from "./pages.js";

const AGAIN_MS = 700;
const LATE_MS = 4000;
const PATIENCE_S = 2;

/** Follows the stream of a draft that is being written, through cuts, until it is finished. */
export async function follow(draft) {
  const sheet = new Sheet(draft);
  let last = 0;
  setTimeout(() => sheet.now === "reading" && sheet.say("waiting"), LATE_MS);
  const beat = setInterval(() => (draft.isConnected ? sheet.tick() : clearInterval(beat)), 1000);
  while (draft.isConnected) {
    try {
      const answer = await call(draft.dataset.stream, { headers: { Accept: "text/event-stream", "Last-Event-ID": last } });
      if (answer.status === 401) return go(draft.dataset.here);
      if (answer.ok) {
        sheet.found();
        for await (const event of events(answer.body)) {
          if (event.id) last = event.id;
          if (sheet.take(event)) return whole(draft, sheet);
          if (!draft.isConnected) return;
        }
      }
    } catch {
      // Cut off: the next round asks on behind the last piece.
    }
    sheet.lost();
    await new Promise((done) => setTimeout(done, AGAIN_MS));
  }
}

/** Puts the finished sheet in place; asks again until it comes. */
async function whole(draft, sheet) {
  while (draft.isConnected && !(await go(draft.dataset.here, { push: false }))) {
    sheet.lost();
    await new Promise((done) => setTimeout(done, AGAIN_MS));
  }
}

/** The server-sent events of a body. */
async function* events(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    const parts = (rest + value).split("\n\n");
    rest = parts.pop();
    for (const part of parts) {
      const event = {};
      for (const line of part.split("\n")) {
        const at = line.indexOf(": ");
        if (at > 0) event[line.slice(0, at)] = line.slice(at + 2);
      }
      if (event.event) yield { ...event, data: JSON.parse(event.data) };
    }
  }
}

class Sheet {
  constructor(draft) {
    this.state = draft.querySelector("#stream-state");
    this.subject = draft.querySelector("#stream-subject");
    this.text = draft.querySelector("#stream-text");
    this.heard = draft.querySelector("#heard");
    this.sentences = new Map();
    this.now = "reading";
    this.since = Date.now();
  }

  /** Takes one event; whether it was the last. */
  take({ event, data }) {
    if (event === "brief") this.say("writing");
    if (event === "text") this.piece(data);
    if (event === "sentence") this.sentence(data);
    if (event === "check") this.say("checking");
    return event === "done" || event === "error";
  }

  say(state) {
    if (state !== this.now) this.since = Date.now();
    this.now = state;
    this.state.textContent = word(`state_${state}`);
    this.state.dataset.state = state;
    this.state.classList.remove("lost");
  }

  /** What takes long says for how long: nothing else moves then. Text that comes in is progress enough. */
  tick() {
    const n = Math.round((Date.now() - this.since) / 1000);
    if (n <= PATIENCE_S || this.now === "writing" || this.state.classList.contains("lost")) return;
    this.state.textContent = `${word(`state_${this.now}`)} ${word("seconds").replace("{n}", n)}`;
  }

  lost() {
    this.state.textContent = word("offline");
    this.state.classList.add("lost");
  }

  found() {
    this.say(this.now);
  }

  piece(data) {
    const known = this.sentences.get(data.index);
    if (known?.dataset.ended) this.begin_again(data.index);
    const place = this.sentences.get(data.index) ?? this.open(data);
    const piece = document.createElement("span");
    piece.className = "piece";
    piece.textContent = data.text;
    place.append(piece);
    if (data.role && !known) this.ended(place, "arriving");
  }

  /** A second writing of the text: what did not pass goes. */
  begin_again(index) {
    for (const [n, node] of this.sentences) {
      if (n < index) continue;
      node.previousSibling?.nodeType === Node.TEXT_NODE && node.previousSibling.remove();
      node.remove();
      this.sentences.delete(n);
    }
    for (const block of [...this.text.children]) if (!block.querySelector(".s")) block.remove();
    this.say("mending");
  }

  open(data) {
    const place = document.createElement("span");
    place.className = "s arriving";
    place.dir = "auto";
    this.sentences.set(data.index, place);
    if (data.index === 0 && data.role !== "claim" && data.role !== "context") this.subject.append(place);
    else this.paragraph(data).append(place);
    return place;
  }

  /** The paragraph a sentence belongs to: what is asked begins one of its own; in a note every sentence is a line. */
  paragraph(data) {
    let block = this.text.lastElementChild;
    const note = !this.text.classList.contains("greeted");
    const asks = data.role === "ask" && block?.dataset.role !== "ask";
    if (!block || asks || note) {
      block = document.createElement("p");
      block.classList.toggle("note-line", note);
      block.dataset.role = data.role ?? "";
      this.text.append(block);
    } else {
      block.append(" ");
    }
    return block;
  }

  ended(place, state) {
    place.dataset.ended = "1";
    place.className = `s ${state}`;
  }

  /** A whole sentence with its verdict. */
  sentence(data) {
    const place = this.sentences.get(data.index) ?? this.open(data);
    place.textContent = data.text;
    const good = data.verdict === "supported" || data.verdict === "rendered";
    this.ended(place, good ? data.verdict : "doubt");
    const line = document.createElement("p");
    line.textContent = data.text;
    if (good) this.heard.append(line);
  }
}
