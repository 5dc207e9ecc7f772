// What a draft may do next, and what the rep is told in each state. No rule of selling lives here.

import type { Draft, Problem } from './server';

export const KINDS = [
  { value: 'follow_up', label: 'Follow-up' },
  { value: 'pitch', label: 'Pitch' },
  { value: 'negotiation_note', label: 'Negotiation note' },
  { value: 'meeting_brief', label: 'Meeting brief' },
  { value: 'qualification', label: 'Qualification' },
  { value: 'summary', label: 'Summary' },
];

// HubSpot's type ids and what our server calls the record.
export const SUBJECTS: Record<string, string> = { '0-1': 'contact_id', '0-2': 'company_id', '0-3': 'deal_id' };

const PASSING = new Set(['supported', 'rendered']);
const WAITING = new Set(['writing', 'approved', 'writing_back']);

export const isWaiting = (draft: Draft): boolean => WAITING.has(draft.status);

export const mayApprove = (draft: Draft): boolean =>
  draft.status === 'proposed' && shown(draft).every((sentence) => PASSING.has(sentence.verdict));

export const shown = (draft: Draft): Draft['sentences'] => draft.sentences.filter((one) => one.action !== 'removed');

export const isSupported = (verdict: string): boolean => PASSING.has(verdict);

type Variant = 'info' | 'warning' | 'success' | 'error';

// State -> title, what follows it, and how loud it is. `reason` stands for what the server says.
const STATES: Record<string, [string, string, Variant]> = {
  scheduled: ['It will be written on its day', 'reason', 'info'],
  writing: ['Writing', 'The history is being read and the text written. Words in italics are not checked yet.', 'info'],
  blocked: ['Nothing may be written', 'reason', 'warning'],
  no_message: ['Nothing to say today', 'reason', 'info'],
  stopped: ['Stopped', 'Nothing was written.', 'info'],
  failed: ['It did not work', 'reason', 'error'],
  approved: ['Approved', 'It is being written into HubSpot.', 'info'],
  writing_back: ['Approved', 'It is being written into HubSpot.', 'info'],
  written: ['Saved in HubSpot', 'You find it among the activities of this record.', 'success'],
  rejected: ['Rejected', 'Nothing was written.', 'info'],
  superseded: ['A newer draft has taken its place', 'Open the newest one, or write another.', 'info'],
  cancelled: ['Called off', 'What happened meanwhile has taken its reason away.', 'info'],
};

export function say(draft: Draft): { title: string; text: string; variant: Variant } {
  const [title, text, variant] = STATES[draft.status] ?? [draft.status, 'reason', 'info'];
  return { title, text: text === 'reason' ? reasonOf(draft) : text, variant };
}

export function sayProblem(problem: Problem): { title: string; text: string } {
  const titles: Record<number, string> = {
    0: 'The server did not answer',
    401: 'HubSpot and the server do not trust each other',
    403: 'You may not do this',
    404: 'This record is not yours to see',
    409: 'Somebody was faster',
    422: 'Something is missing',
    429: 'Too much was asked at once',
    502: 'HubSpot did not take it',
    503: 'The server is busy',
  };
  return { title: titles[problem.status] ?? 'That did not work', text: problem.detail };
}

function reasonOf(draft: Draft): string {
  if (draft.status === 'failed') return draft.problem ?? 'See the console for the reason.';
  const day = draft.decision.earliest ? `Earliest day: ${draft.decision.earliest}.` : '';
  return [draft.decision.reason, day].filter(Boolean).join(' ');
}
