import '@lwc/synthetic-shadow';
import { createElement } from 'lwc';
import AiDealPanel from 'c/aiDealPanel';

const panel = createElement('c-ai-deal-panel', { is: AiDealPanel });
panel.recordId = new URLSearchParams(location.search).get('record');
panel.addEventListener('lightning__refresh', () => { document.title = 'refreshed'; });
document.getElementById('panel').append(panel);
