// The panel "Deal assistant" in Pipedrive's side bar. It is served from the same address as our server.
// With `modal=<id of the custom modal>` in its address a draft can be opened in Pipedrive's large window.

import { Command, Modal } from '@pipedrive/app-extensions-sdk';

import { start } from './start';

void main();

async function main(): Promise<void> {
  const started = await start({ height: 600 });
  if (!started) return;
  const modal = started.query.get('modal');
  const open = (draft: string) =>
    started.sdk.execute(Command.OPEN_MODAL, { type: Modal.CUSTOM_MODAL, action_id: modal ?? '', data: { draft } });
  started.view(modal ? { widen: async (draft) => void (await open(draft.id)) } : {}).choose();
}
