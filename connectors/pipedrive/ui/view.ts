// The page inside Pipedrive's frame, in the side bar and in the window: choose, see it arrive, edit, approve.

import type { Answer, Draft, Problem, Server } from './server';
import { KINDS, isSupported, isWaiting, mayApprove, shown, tell, tellProblem } from './states';

// How soon it is asked again: text that arrives is looked for more often.
const AGAIN_MS: Record<string, number> = { writing: 700, approved: 1_500, writing_back: 1_500 };

// What the frame can do for the page. `widen` opens the draft in Pipedrive's large window, where there is one.
export interface Host {
  say: (message: string) => void;
  sure: (title: string) => Promise<boolean>;
  widen?: (draft: Draft) => Promise<void>;
  close?: () => void;
}

export class View {
  constructor(
    private readonly place: HTMLElement,
    private readonly server: Server,
    private readonly about: Record<string, string>,
    private readonly host: Host,
  ) {}

  choose(): void {
    const kind = element('select', { name: 'kind' });
    for (const [value, label] of KINDS) kind.append(element('option', { value }, label));
    const wish = element('input', { name: 'instruction', maxLength: 500 });
    const write = button('Write', () =>
      this.take(this.server.start({ ...this.about, kind: kind.value, key: crypto.randomUUID(), ...given(wish.value) })),
    );
    this.put(labelled('What to write', kind), labelled('Your wish (optional)', wish), write);
  }

  open(id: string): Promise<void> {
    return this.take(this.server.read(id));
  }

  private async take(call: Promise<Answer>): Promise<void> {
    for (const one of this.place.querySelectorAll('button')) one.disabled = true;
    const answer = await call;
    if (answer.good) this.show(answer.draft);
    else this.fail(answer.problem);
  }

  private show(draft: Draft): void {
    if (draft.status === 'proposed') {
      this.propose(draft);
      return;
    }
    const told = element('p', { className: draft.status === 'failed' ? 'problem' : 'state' }, tell(draft));
    const more = [];
    if (draft.status === 'writing') more.push(button('Stop', () => this.take(this.server.decide(draft.id, 'stop', {}))));
    else if (!isWaiting(draft)) more.push(button('Write something else', () => this.choose()));
    if (!isWaiting(draft) && this.host.close) more.push(button('Close', this.host.close));
    this.put(told, ...arriving(draft), row(...more));
    if (draft.status === 'written') this.host.say('Saved in Pipedrive');
    if (isWaiting(draft)) setTimeout(() => void this.again(draft), AGAIN_MS[draft.status]);
  }

  // Asks again, unless the rep has done something else meanwhile.
  private async again(draft: Draft): Promise<void> {
    const before = this.place.firstElementChild;
    const answer = await this.server.read(draft.id);
    if (this.place.firstElementChild !== before) return;
    if (answer.good) this.show(answer.draft);
    else this.fail(answer.problem);
  }

  private propose(draft: Draft): void {
    const subject = element('input', { name: 'subject', value: draft.subject ?? '' });
    const body = element('textarea', { name: 'body', value: draft.body ?? '' });
    const approve = button('Approve', () => this.take(this.server.decide(draft.id, 'approve', { version: draft.version })));
    const save = button('Save and check', () =>
      this.take(
        this.server.decide(draft.id, 'edit', { version: draft.version, subject: subject.value, body: body.value }),
      ),
    );
    const copy = button('Copy', () => navigator.clipboard.writeText(`${subject.value}\n\n${body.value}`));
    const reject = button('Reject', async () => {
      const call = () => this.server.decide(draft.id, 'reject', { version: draft.version });
      if (await this.host.sure('Reject this draft?')) await this.take(call());
    });
    const refresh = () => {
      const edited = subject.value !== (draft.subject ?? '') || body.value !== (draft.body ?? '');
      save.disabled = !edited;
      approve.disabled = edited || !mayApprove(draft);
    };
    subject.oninput = body.oninput = refresh;
    refresh();
    const to = element('h2', {}, draft.to?.display_name ? `To ${draft.to.display_name}` : 'Internal note');
    const warnings = draft.warnings.map((one) => element('p', { className: 'warning' }, one.text));
    const buttons = [approve, save, copy, reject, ...this.windowButton(draft)];
    this.put(to, ...warnings, labelled('Subject', subject), labelled('Text', body), row(...buttons), evidence(draft));
  }

  // The window is left to the rep; when it closes the draft is read again.
  private windowButton(draft: Draft): HTMLButtonElement[] {
    const widen = this.host.widen;
    return widen ? [button('Open in a window', () => widen(draft).then(() => this.open(draft.id)))] : [];
  }

  private fail(problem: Problem): void {
    this.put(trouble(tellProblem(problem)), button('Back', () => this.choose()));
  }

  // Who stands on a button stays on it when the page is drawn again.
  private put(...parts: HTMLElement[]): void {
    const held = document.activeElement instanceof HTMLButtonElement ? document.activeElement.textContent : null;
    this.place.replaceChildren(...parts);
    for (const one of held ? this.place.querySelectorAll('button') : []) if (one.textContent === held) one.focus();
  }
}

// A problem that the rep reads; screen readers say it at once.
export function trouble(text: string): HTMLElement {
  const told = element('p', { className: 'problem' }, text);
  told.setAttribute('role', 'alert');
  return told;
}

// The text as far as it has come; what is not checked yet looks so.
function arriving(draft: Draft): HTMLElement[] {
  const lines = draft.status === 'writing' ? (draft.arriving ?? []) : [];
  return lines.map(({ text, verdict }) =>
    element('p', { className: verdict === null ? 'arriving' : isSupported(verdict) ? '' : 'unsupported' }, text),
  );
}

function evidence(draft: Draft): HTMLElement {
  const facts = new Map(draft.facts.map((fact) => [fact.id, `${fact.label}: ${fact.display}`]));
  const list = element('ul', {});
  for (const sentence of shown(draft)) {
    const bad = !isSupported(sentence.verdict);
    if (!bad && sentence.evidence.length === 0) continue;
    const item = element('li', {});
    item.append(element('span', { className: bad ? 'unsupported' : '' }, sentence.text));
    const why = bad ? (sentence.reason ?? sentence.verdict) : sentence.evidence.map((id) => facts.get(id) ?? id).join(' · ');
    item.append(element('div', { className: 'evidence' }, why));
    list.append(item);
  }
  const part = element('section', {});
  part.append(element('h3', {}, 'Why it says so'), list);
  return part;
}

function element<K extends keyof HTMLElementTagNameMap>(
  name: K,
  values: Partial<HTMLElementTagNameMap[K]>,
  text?: string,
): HTMLElementTagNameMap[K] {
  const made = Object.assign(document.createElement(name), values);
  if (text !== undefined) made.textContent = text;
  return made;
}

function labelled(text: string, field: HTMLElement): HTMLElement {
  const label = element('label', {}, text);
  label.append(field);
  return label;
}

function row(...buttons: HTMLElement[]): HTMLElement {
  const made = element('div', { className: 'row' });
  made.append(...buttons);
  return made;
}

function button(text: string, act: () => unknown): HTMLButtonElement {
  const made = element('button', { type: 'button' }, text);
  made.onclick = () => void act();
  return made;
}

const given = (wish: string): Record<string, string> => (wish.trim() ? { instruction: wish.trim() } : {});
