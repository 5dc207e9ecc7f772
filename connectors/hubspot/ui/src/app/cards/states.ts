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
const WAITING = new Set(['scheduled', 'writing', 'approved', 'writing_back']);

export const isWaiting = (draft: Draft): boolean => WAITING.has(draft.status);

export const mayApprove = (draft: Draft): boolean =>
  draft.status === 'proposed' && shown(draft).every((sentence) => PASSING.has(sentence.verdict));

export const shown = (draft: Draft): Draft['sentences'] => draft.sentences.filter((one) => one.action !== 'removed');

export const isSupported = (verdict: string): boolean => PASSING.has(verdict);

export function say(draft: Draft): { title: string; text: string; variant: 'info' | 'warning' | 'success' | 'error' } {
  const reason = draft.decision.reason ?? '';
  switch (draft.status) {
    case 'blocked':
      return { title: 'Nothing may be written', text: withDay(reason, draft), variant: 'warning' };
    case 'no_message':
      return { title: 'Nothing to say today', text: withDay(reason, draft), variant: 'info' };
    case 'failed':
      return { title: 'It could not be written', text: reason || 'See the console for the reason.', variant: 'error' };
    case 'approved':
    case 'writing_back':
      return { title: 'Approved', text: 'It is being written into HubSpot.', variant: 'info' };
    case 'written':
      return { title: 'Saved in HubSpot', text: 'You find it among the activities of this record.', variant: 'success' };
    case 'rejected':
      return { title: 'Rejected', text: 'Nothing was written.', variant: 'info' };
    case 'stopped':
      return { title: 'Stopped', text: 'Nothing was written.', variant: 'info' };
    default:
      return { title: 'Writing', text: 'The history is being read and the text checked.', variant: 'info' };
  }
}

export function sayProblem(problem: Problem): { title: string; text: string } {
  const titles: Record<number, string> = {
    401: 'HubSpot and the server do not trust each other',
    403: 'You may not do this',
    404: 'This record is not yours to see',
    409: 'Somebody was faster',
    422: 'Something is missing',
    502: 'HubSpot did not take it',
    503: 'The server is busy',
  };
  return { title: titles[problem.status] ?? 'That did not work', text: problem.detail };
}

const withDay = (reason: string, draft: Draft): string =>
  draft.decision.earliest ? `${reason} Earliest day: ${draft.decision.earliest}.` : reason;
