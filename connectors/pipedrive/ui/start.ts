// What the side bar and the window begin with: Pipedrive's SDK, its theme, the record, and calls with its tokens.

import AppExtensionsSDK, { Color, Command } from '@pipedrive/app-extensions-sdk';

import { Server } from './server';
import { SUBJECTS } from './states';
import { View, trouble } from './view';
import type { Host } from './view';

export interface Started {
  sdk: AppExtensionsSDK;
  query: URLSearchParams;
  view: (more: Partial<Host>) => View;
}

// null when this page is not inside Pipedrive: then it says so.
export async function start(size: { height: number; width?: number }): Promise<Started | null> {
  const place = document.getElementById('panel');
  if (!place) return null;
  const query = new URLSearchParams(location.search);
  try {
    const sdk = await new AppExtensionsSDK().initialize({ size });
    document.documentElement.dataset['theme'] = sdk.userSettings.theme;
    const server = new Server(query.get('connection') ?? 'acme', () => token(sdk));
    const about = { [SUBJECTS[query.get('resource') ?? 'deal'] ?? 'deal_id']: query.get('selectedIds') ?? '' };
    return { sdk, query, view: (more) => new View(place, server, about, { ...hostOf(sdk), ...more }) };
  } catch {
    place.replaceChildren(trouble('Open this page from a deal, person or organisation in Pipedrive: only there it works.'));
    return null;
  }
}

async function token(sdk: AppExtensionsSDK): Promise<string> {
  const answer = await sdk.execute(Command.GET_SIGNED_TOKEN);
  return answer.token;
}

function hostOf(sdk: AppExtensionsSDK): Host {
  return {
    say: (message) => void sdk.execute(Command.SHOW_SNACKBAR, { message }),
    sure: async (title) =>
      (await sdk.execute(Command.SHOW_CONFIRMATION, { title, okText: 'Reject', okColor: Color.NEGATIVE })).confirmed,
  };
}
