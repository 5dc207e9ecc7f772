// Calls to our server. Each carries a token that Pipedrive signs for the rep who looks at this panel; it lives five
// minutes, so it is asked for before every call. No cookie and no secret is in this page.

export interface Draft {
  id: string;
  status: string;
  subject: string | null;
  body: string | null;
  version: number;
  problem: string | null;
  warnings: { code: string; text: string }[];
  to: { display_name: string | null; address: string | null } | null;
  arriving?: { text: string; verdict: string | null }[];
  sentences: { text: string; role: string; evidence: string[]; verdict: string; action: string; reason: string | null }[];
  facts: { id: string; label: string; display: string }[];
  decision: { code: string | null; reason: string | null; earliest: string | null };
}

export interface Problem {
  status: number;
  detail: string;
}

export type Answer = { good: true; draft: Draft } | { good: false; problem: Problem };

export class Server {
  // `connection` is the name in the server's settings, `token` asks Pipedrive for a fresh one.
  constructor(
    private readonly connection: string,
    private readonly token: () => Promise<string>,
  ) {}

  start(body: Record<string, unknown>): Promise<Answer> {
    return this.call('POST', 'drafts', body);
  }

  read(id: string): Promise<Answer> {
    return this.call('GET', `drafts/${encodeURIComponent(id)}`);
  }

  decide(id: string, action: 'edit' | 'approve' | 'reject' | 'stop', body: Record<string, unknown>): Promise<Answer> {
    return this.call('POST', `drafts/${encodeURIComponent(id)}/${action}`, body);
  }

  private async call(method: string, path: string, body?: Record<string, unknown>): Promise<Answer> {
    let token: string;
    try {
      token = await this.token();
    } catch {
      return { good: false, problem: { status: 401, detail: 'Pipedrive gave no token: reload this page.' } };
    }
    try {
      const headers: Record<string, string> = { Authorization: `Bearer ${token}` };
      if (body) headers['Content-Type'] = 'application/json';
      const init = body ? { method, headers, body: JSON.stringify(body) } : { method, headers };
      const response = await fetch(`/panel/${this.connection}/${path}`, init);
      const document: unknown = await response.json();
      if (response.ok) return { good: true, draft: document as Draft };
      return { good: false, problem: { status: response.status, detail: detailOf(document) } };
    } catch {
      return { good: false, problem: { status: 0, detail: 'Try again; if it stays so, tell your admin.' } };
    }
  }
}

function detailOf(document: unknown): string {
  const detail = typeof document === 'object' && document !== null && 'detail' in document ? document.detail : null;
  return typeof detail === 'string' ? detail : 'The server gave no reason. Tell your admin.';
}
