// Calls to our server. HubSpot makes them, signs them, and names the user: no token is in this card.
// A call is cut after 15 s, so writing is started and then asked for. HubSpot repeats a failed call once by itself:
// whatever starts something carries a key, and the same key is the same draft.

import { hubspot } from '@hubspot/ui-extensions';

// The public address of your server and the name of this connection in its settings.
export const SERVER = 'https://assist.example.com';
export const CONNECTION = 'acme';

const TIMEOUT_MS = 14_000;

export interface Sentence {
  text: string;
  role: string;
  evidence: string[];
  verdict: string;
  action: string;
  reason: string | null;
}

// A line of a text that is being written; `verdict` null: not checked yet.
export interface Line {
  text: string;
  verdict: string | null;
}

export interface Fact {
  id: string;
  label: string;
  display: string;
  source: { object: string; id: string; url: string | null }[];
}

export interface Draft {
  id: string;
  kind: string;
  status: string;
  subject: string | null;
  body: string | null;
  audience: 'customer' | 'internal';
  to: { display_name: string | null; address: string | null } | null;
  version: number;
  arriving?: Line[];
  sentences: Sentence[];
  facts: Fact[];
  problem: string | null;
  warnings: { code: string; text: string }[];
  missing_info: string[];
  decision: { outcome: string; code: string | null; reason: string | null; earliest: string | null };
}

export interface Problem {
  status: number;
  code: string;
  detail: string;
}

export type Answer<T> = { good: true; value: T } | { good: false; problem: Problem };

const UNREACHABLE: Problem = {
  status: 0,
  code: 'unreachable',
  detail: 'Try again; if it stays so, tell your admin.',
};

export const startDraft = (body: Record<string, unknown>): Promise<Answer<Draft>> => call('POST', 'drafts', body);

export const readDraft = (id: string): Promise<Answer<Draft>> => call('GET', `drafts/${encodeURIComponent(id)}`);

export const decide = (
  id: string,
  action: 'edit' | 'approve' | 'reject' | 'stop' | 'regenerate',
  body: Record<string, unknown>,
): Promise<Answer<Draft>> => call('POST', `drafts/${encodeURIComponent(id)}/${action}`, body);

async function call<T>(method: 'GET' | 'POST', path: string, body?: Record<string, unknown>): Promise<Answer<T>> {
  try {
    const options = body === undefined ? { method, timeout: TIMEOUT_MS } : { method, timeout: TIMEOUT_MS, body };
    const response = await hubspot.fetch(`${SERVER}/panel/${CONNECTION}/${path}`, options);
    return read<T>(response.status, await response.json());
  } catch {
    return { good: false, problem: UNREACHABLE };
  }
}

// A problem comes as 200 with `ok: false`, because HubSpot shows nothing of any other answer.
function read<T>(status: number, document: unknown): Answer<T> {
  if (typeof document !== 'object' || document === null) {
    return { good: false, problem: UNREACHABLE };
  }
  if ('ok' in document && document.ok === false && 'problem' in document) {
    return { good: false, problem: { ...UNREACHABLE, ...(document.problem as Partial<Problem>) } };
  }
  if (status >= 400) {
    return { good: false, problem: { ...UNREACHABLE, ...(document as Partial<Problem>) } };
  }
  return { good: true, value: document as T };
}
