// The panel "Deal assistant" in Pipedrive's side bar: choose what to write, see it arrive with its evidence, edit,
// approve. It is served from the same address as our server.

import AppExtensionsSDK, { Color, Command } from '@pipedrive/app-extensions-sdk';

import { Server } from './server';
import type { Answer, Draft, Problem } from './server';

const POLL_MS = 1_500;
const KINDS: [string, string][] = [
  ['follow_up', 'Follow-up'],
  ['pitch', 'Pitch'],
  ['negotiation_note', 'Negotiation note'],
  ['meeting_brief', 'Meeting brief'],
  ['qualification', 'Qualification'],
  ['summary', 'Summary'],
];
const SUBJECTS: Record<string, string> = { deal: 'deal_id', person: 'contact_id', organization: 'company_id' };
const WAITING = new Set(['scheduled', 'writing', 'approved', 'writing_back']);
const PASSING = new Set(['supported', 'rendered']);
const PROBLEMS: Record<number, string> = {
  401: 'Pipedrive and the server do not trust each other.',
  403: 'You may not do this.',
  404: 'This record is not yours to see.',
  409: 'Somebody was faster.',
  502: 'Pipedrive did not take it.',
  503: 'The server is busy.',
};
const STATES: Record<string, string> = {
  scheduled: 'It will be written on its day.',
  writing: 'The history is being read and the text checked …',
  blocked: 'Nothing may be written.',
  no_message: 'Nothing to say today.',
  approved: 'Approved. It is being saved in Pipedrive …',
  writing_back: 'Approved. It is being saved in Pipedrive …',
  written: 'Saved in Pipedrive.',
  rejected: 'Rejected. Nothing was written.',
  failed: 'It could not be written.',
};

void main();

async function main(): Promise<void> {
  const sdk = await new AppExtensionsSDK().initialize({ size: { height: 600 } });
  const query = new URLSearchParams(location.search);
  const server = new Server(query.get('connection') ?? 'acme', async () => {
    const { token } = await sdk.execute(Command.GET_SIGNED_TOKEN);
    return token;
  });
  const panel = document.getElementById('panel');
  if (!panel) return;
  const subject = SUBJECTS[query.get('resource') ?? 'deal'] ?? 'deal_id';
  const id = query.get('selectedIds') ?? '';
  const done = (message: string) => void sdk.execute(Command.SHOW_SNACKBAR, { message });
  const sure = async (title: string) =>
    (await sdk.execute(Command.SHOW_CONFIRMATION, { title, okText: 'Reject', okColor: Color.NEGATIVE })).confirmed;
  new Panel(panel, server, { [subject]: id }, done, sure).choose();
}

class Panel {
  constructor(
    private readonly place: HTMLElement,
    private readonly server: Server,
    private readonly about: Record<string, string>,
    private readonly done: (message: string) => void,
    private readonly sure: (title: string) => Promise<boolean>,
  ) {}

  choose(): void {
    const kind = element('select', { name: 'kind' });
    for (const [value, label] of KINDS) kind.append(element('option', { value }, label));
    const wish = element('input', { name: 'instruction', maxLength: 500 });
    const write = button('Write', () =>
      this.take(this.server.start({ ...this.about, kind: kind.value, key: crypto.randomUUID(), ...given(wish.value) })),
    );
    this.place.replaceChildren(labelled('What to write', kind), labelled('Your wish (optional)', wish), write);
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
    const words = [STATES[draft.status] ?? draft.status, draft.decision.reason ?? ''];
    if (draft.decision.earliest) words.push(`Earliest day: ${draft.decision.earliest}.`);
    const again = button('Write something else', () => this.choose());
    this.place.replaceChildren(element('p', { className: 'state' }, words.filter(Boolean).join(' ')), again);
    if (draft.status === 'written') this.done('Saved in Pipedrive');
    if (WAITING.has(draft.status)) setTimeout(() => void this.take(this.server.read(draft.id)), POLL_MS);
  }

  private propose(draft: Draft): void {
    const subject = element('input', { name: 'subject', value: draft.subject ?? '' });
    const body = element('textarea', { name: 'body', value: draft.body ?? '' });
    const shown = draft.sentences.filter((one) => one.action !== 'removed');
    const approve = button('Approve', () => this.take(this.server.decide(draft.id, 'approve', { version: draft.version })));
    const save = button('Save and check', () =>
      this.take(
        this.server.decide(draft.id, 'edit', { version: draft.version, subject: subject.value, body: body.value }),
      ),
    );
    const copy = button('Copy', () => navigator.clipboard.writeText(`${subject.value}\n\n${body.value}`));
    const reject = button('Reject', async () => {
      const call = () => this.server.decide(draft.id, 'reject', { version: draft.version });
      if (await this.sure('Reject this draft?')) await this.take(call());
    });
    const refresh = () => {
      const edited = subject.value !== (draft.subject ?? '') || body.value !== (draft.body ?? '');
      save.disabled = !edited;
      approve.disabled = edited || !shown.every((one) => PASSING.has(one.verdict));
    };
    subject.oninput = body.oninput = refresh;
    refresh();
    const to = element('h2', {}, draft.to?.display_name ? `To ${draft.to.display_name}` : 'Internal note');
    const row = element('div', { className: 'row' });
    row.append(approve, save, copy, reject);
    this.place.replaceChildren(to, labelled('Subject', subject), labelled('Text', body), row, evidence(draft, shown));
  }

  private fail(problem: Problem): void {
    const title = PROBLEMS[problem.status] ?? 'That did not work.';
    const told = element('p', { className: 'problem' }, `${title} ${problem.detail}`);
    told.setAttribute('role', 'alert');
    this.place.replaceChildren(told, button('Back', () => this.choose()));
  }
}

function evidence(draft: Draft, shown: Draft['sentences']): HTMLElement {
  const facts = new Map(draft.facts.map((fact) => [fact.id, `${fact.label}: ${fact.display}`]));
  const list = element('ul', {});
  for (const sentence of shown) {
    const bad = !PASSING.has(sentence.verdict);
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

function button(text: string, act: () => unknown): HTMLButtonElement {
  const made = element('button', { type: 'button' }, text);
  made.onclick = () => void act();
  return made;
}

const given = (wish: string): Record<string, string> => (wish.trim() ? { instruction: wish.trim() } : {});
