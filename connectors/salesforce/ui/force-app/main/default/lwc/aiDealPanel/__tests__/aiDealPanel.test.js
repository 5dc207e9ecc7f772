import { createElement } from 'lwc';
import AiDealPanel from 'c/aiDealPanel';
import start from '@salesforce/apex/AiAssistant.start';
import poll from '@salesforce/apex/AiAssistant.poll';
import decide from '@salesforce/apex/AiAssistant.decide';

jest.mock('@salesforce/apex/AiAssistant.start', () => ({ default: jest.fn() }), { virtual: true });
jest.mock('@salesforce/apex/AiAssistant.poll', () => ({ default: jest.fn() }), { virtual: true });
jest.mock('@salesforce/apex/AiAssistant.decide', () => ({ default: jest.fn() }), { virtual: true });

const DRAFT = {
    id: 'd-1', status: 'proposed', version: 1, subject: 'Quote', body: 'Your quote is ready.', decision: {},
    facts: [{ id: 'f1', label: 'Quote', display: 'Q-118' }],
    sentences: [{ text: 'Your quote is ready.', evidence: ['f1'], verdict: 'supported', action: 'kept' }]
};
const answer = (document, status = 200) => Promise.resolve(JSON.stringify({ status, document }));
const settle = async () => { for (let n = 0; n < 12; n += 1) { await Promise.resolve(); } };
const part = (panel, name) => panel.shadowRoot.querySelector(`[data-id="${name}"]`);

async function written(document, status) {
    start.mockReturnValueOnce(answer(document, status));
    const panel = createElement('c-ai-deal-panel', { is: AiDealPanel });
    panel.recordId = '006A0000001OppQIAW';
    document_().appendChild(panel);
    part(panel, 'write').click();
    await settle();
    return panel;
}

const document_ = () => global.document.body;

afterEach(() => {
    jest.useRealTimers();
    jest.resetAllMocks();
    while (document_().firstChild) {
        document_().removeChild(document_().firstChild);
    }
});

test('a click asks for the chosen kind about this record and shows text and evidence', async () => {
    const panel = await written(DRAFT);

    expect(start.mock.calls[0][0]).toMatchObject({ recordId: '006A0000001OppQIAW', kind: 'follow_up' });
    expect(part(panel, 'body').value).toBe('Your quote is ready.');
    expect(part(panel, 'evidence').textContent).toContain('Quote Q-118');
    expect(part(panel, 'approve').disabled).toBe(false);
});

test('a draft that is being written is asked for until it is there', async () => {
    jest.useFakeTimers();
    poll.mockReturnValueOnce(answer(DRAFT));
    const panel = await written({ ...DRAFT, status: 'writing', body: null }, 202);
    expect(part(panel, 'state').textContent).toContain('being read');

    jest.advanceTimersByTime(1500);
    await settle();

    expect(poll).toHaveBeenCalledWith({ draftId: 'd-1' });
    expect(part(panel, 'body').value).toBe('Your quote is ready.');
});

test('an unsupported sentence cannot be approved', async () => {
    const panel = await written({ ...DRAFT, sentences: [{ ...DRAFT.sentences[0], verdict: 'unsupported' }] });

    expect(part(panel, 'approve').disabled).toBe(true);
});

test('changed text must be saved and checked before it is approved', async () => {
    const panel = await written(DRAFT);
    decide.mockReturnValueOnce(answer({ ...DRAFT, body: 'New text.', version: 2 }));

    part(panel, 'body').dispatchEvent(new CustomEvent('change', { detail: { value: 'New text.' } }));
    await settle();
    expect(part(panel, 'approve').disabled).toBe(true);
    part(panel, 'save').click();
    await settle();

    expect(JSON.parse(decide.mock.calls[0][0].body)).toEqual({ version: 1, subject: 'Quote', body: 'New text.' });
    expect(part(panel, 'approve').disabled).toBe(false);
});

test('approval is sent with the version that was read', async () => {
    const panel = await written(DRAFT);
    decide.mockReturnValueOnce(answer({ ...DRAFT, status: 'written' }));

    part(panel, 'approve').click();
    await settle();

    expect(decide).toHaveBeenCalledWith({ draftId: 'd-1', action: 'approve', body: '{"version":1}' });
    expect(part(panel, 'state').textContent).toContain('Saved in Salesforce');
});

test.each([
    [0, 'did not answer'], [401, 'panel_secret'], [404, 'not yours'], [409, 'faster'], [502, 'did not take it'], [503, 'busy']
])('status %s is told in words', async (status, words) => {
    const panel = await written({ detail: 'why' }, status);

    expect(part(panel, 'state').textContent).toContain(words);
});

test('a gate is told with its reason', async () => {
    const panel = await written({ ...DRAFT, status: 'blocked', body: null, decision: { reason: 'Opted out.' } });

    expect(part(panel, 'state').textContent).toBe('Nothing may be written. Opted out.');
});
