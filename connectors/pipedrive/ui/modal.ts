// The window "Deal assistant": the same page with room to edit, opened from a record's menu or from the panel, which
// hands over the id of its draft.

import { Command } from '@pipedrive/app-extensions-sdk';

import { start } from './start';

void main();

async function main(): Promise<void> {
  const started = await start({ width: 900, height: 700 });
  if (!started) return;
  const view = started.view({ close: () => void started.sdk.execute(Command.CLOSE_MODAL) });
  const draft = draftOf(started.query);
  if (draft) await view.open(draft);
  else view.choose();
}

// Pipedrive puts what the panel handed over as JSON into the address.
function draftOf(query: URLSearchParams): string | null {
  try {
    const data: unknown = JSON.parse(query.get('data') ?? '{}');
    const id = typeof data === 'object' && data !== null && 'draft' in data ? data.draft : null;
    return typeof id === 'string' ? id : null;
  } catch {
    return null;
  }
}
