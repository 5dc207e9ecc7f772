// What can be chosen, and what the rep is told in each state and at each problem. No rule of selling lives here.

import type { Draft, Problem } from './server';

export const KINDS: [string, string][] = [
  ['follow_up', 'Follow-up'],
  ['pitch', 'Pitch'],
  ['negotiation_note', 'Negotiation note'],
  ['meeting_brief', 'Meeting brief'],
  ['qualification', 'Qualification'],
  ['summary', 'Summary'],
];
// Pipedrive's word for the record of this page, and what our server calls it.
export const SUBJECTS: Record<string, string> = { deal: 'deal_id', person: 'contact_id', organization: 'company_id' };

const WAITING = new Set(['writing', 'approved', 'writing_back']);
const PASSING = new Set(['supported', 'rendered']);
const STATES: Record<string, string> = {
  scheduled: 'It will be written on its day.',
  writing: 'The history is being read and the text written. Grey text is not checked yet.',
  blocked: 'Nothing may be written.',
  no_message: 'Nothing to say today.',
  stopped: 'Stopped. Nothing was written.',
  approved: 'Approved. It is being saved in Pipedrive …',
  writing_back: 'Approved. It is being saved in Pipedrive …',
  written: 'Saved in Pipedrive.',
  rejected: 'Rejected. Nothing was written.',
  superseded: 'A newer draft has taken its place.',
  cancelled: 'Called off: what happened meanwhile has taken its reason away.',
  failed: 'It did not work.',
};
const PROBLEMS: Record<number, string> = {
  0: 'The server did not answer.',
  401: 'Pipedrive and the server do not trust each other.',
  403: 'You may not do this.',
  404: 'This record is not yours to see.',
  409: 'Somebody was faster.',
  422: 'Something is missing.',
  429: 'Too much was asked at once.',
  502: 'Pipedrive did not take it.',
  503: 'The server is busy.',
};

export const isWaiting = (draft: Draft): boolean => WAITING.has(draft.status);

export const isSupported = (verdict: string): boolean => PASSING.has(verdict);

export const shown = (draft: Draft): Draft['sentences'] => draft.sentences.filter((one) => one.action !== 'removed');

export const mayApprove = (draft: Draft): boolean => shown(draft).every((one) => PASSING.has(one.verdict));

export function tell(draft: Draft): string {
  const reason = draft.status === 'failed' ? draft.problem : isSettled(draft) ? draft.decision.reason : null;
  const day = draft.decision.earliest && isSettled(draft) ? `Earliest day: ${draft.decision.earliest}.` : null;
  return [STATES[draft.status] ?? draft.status, reason, day].filter(Boolean).join(' ');
}

export const tellProblem = (problem: Problem): string =>
  `${PROBLEMS[problem.status] ?? 'That did not work.'} ${problem.detail}`;

// States in which the decision's reason is the news.
const isSettled = (draft: Draft): boolean => ['blocked', 'no_message', 'scheduled'].includes(draft.status);
