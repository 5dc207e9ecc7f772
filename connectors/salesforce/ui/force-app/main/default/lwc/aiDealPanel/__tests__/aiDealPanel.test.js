import { createElement } from 'lwc';
import AiDealPanel from 'c/aiDealPanel';
import { RefreshEventName } from 'lightning/refresh';
import start from '@salesforce/apex/AiAssistant.start';
import poll from '@salesforce/apex/AiAssistant.poll';
import decide from '@salesforce/apex/AiAssistant.decide';

jest.mock('@salesforce/apex/AiAssistant.start', () => ({ default: jest.fn() }), { virtual: true });
jest.mock('@salesforce/apex/AiAssistant.poll', () => ({ default: jest.fn() }), { virtual: true });
jest.mock('@salesforce/apex/AiAssistant.decide', () => ({ default: jest.fn() }), { virtual: true });

const DRAFT = {
    id: 'd-1',
    status: 'proposed',
    version: 1,
    subject: 'Quote',
    body: 'Your quote is ready.',
    decision: {},
    warnings: [],
    facts: [{ id: 'f1', label: 'Quote', display: 'Q-118' }],
    sentences: [{ text: 'Your quote is ready.', evidence: ['f1'], verdict: 'supported', action: 'kept' }]
};
const WRITING = { ...DRAFT, status: 'writing', subject: null, body: null, sentences: [] };
const page = global.document.body;
const answer = (document, status = 200) => Promise.resolve(JSON.stringify({ status, document }));
const settle = () => [...Array(14)].reduce((before) => before.then(() => {}), Promise.resolve());
const part = (panel, name) => panel.shadowRoot.querySelector(`[data-id="${name}"]`);
const type = (panel, name, value) => part(panel, name).dispatchEvent(new CustomEvent('change', { detail: { value } }));

async function written(document, status) {
    start.mockReturnValueOnce(answer(document, status));
    const panel = createElement('c-ai-deal-panel', { is: AiDealPanel });
    panel.recordId = '006A0000001OppQIAW';
    page.appendChild(panel);
    part(panel, 'write').click();
    await settle();
    return panel;
}

async function later(ms) {
    jest.advanceTimersByTime(ms);
    await settle();
}

beforeEach(() => jest.useFakeTimers());

afterEach(() => {
    jest.useRealTimers();
    jest.resetAllMocks();
    page.replaceChildren();
});

test('a click asks for the chosen kind about this record and shows text and evidence', async () => {
    const panel = await written(DRAFT);

    expect(start.mock.calls[0][0]).toMatchObject({
        recordId: '006A0000001OppQIAW',
        asked: { kind: 'follow_up', instruction: '' }
    });
    expect(part(panel, 'body').value).toBe('Your quote is ready.');
    expect(part(panel, 'evidence').textContent).toContain('Quote: Q-118');
    expect(part(panel, 'approve').disabled).toBe(false);
});

test('a wish goes along and each click has a key of its own', async () => {
    const panel = await written(DRAFT);
    start.mockReturnValueOnce(answer(DRAFT));
    type(panel, 'wish', ' Shorter, please ');
    await settle();
    part(panel, 'write').click();
    await settle();

    const [first, second] = start.mock.calls.map((call) => call[0]);
    expect(second.asked.instruction).toBe('Shorter, please');
    expect(second.key).not.toBe(first.key);
});

test('text arrives line by line, grey until it is checked, and then the whole takes its place', async () => {
    const panel = await written(WRITING, 202);
    expect(part(panel, 'state').textContent).toContain('being read');
    poll.mockReturnValueOnce(
        answer({
            ...WRITING,
            arriving: [
                { text: 'Good.', verdict: 'supported' },
                { text: 'Doubtful.', verdict: 'unsupported' },
                { text: 'Your quo', verdict: null }
            ]
        })
    );
    await later(700);

    const lines = [...part(panel, 'arriving').querySelectorAll('p')];
    expect(lines.map((line) => [line.textContent, line.className])).toEqual([
        ['Good.', ''],
        ['Doubtful.', 'doubt'],
        ['Your quo', 'arriving']
    ]);
    expect(part(panel, 'approve')).toBeNull();

    poll.mockReturnValueOnce(answer(DRAFT));
    await later(700);
    expect(part(panel, 'arriving')).toBeNull();
    expect(part(panel, 'body').value).toBe('Your quote is ready.');
});

test('writing can be stopped, and what was on its way before counts no more', async () => {
    const panel = await written(WRITING, 202);
    let late;
    poll.mockReturnValueOnce(new Promise((resolve) => { late = resolve; }));
    await later(700);
    decide.mockReturnValueOnce(answer({ ...WRITING, status: 'stopped' }));
    part(panel, 'stop').click();
    await settle();
    late(JSON.stringify({ status: 200, document: WRITING }));
    await settle();

    expect(decide.mock.calls[0][0]).toMatchObject({ draftId: 'd-1', action: 'stop' });
    expect(part(panel, 'state').textContent).toBe('Stopped. Nothing was written.');
    expect(part(panel, 'write').disabled).toBe(false);
});

test('an unsupported sentence cannot be approved and says why', async () => {
    const doubt = { ...DRAFT.sentences[0], evidence: [], verdict: 'unsupported', reason: 'no fact says so' };
    const panel = await written({ ...DRAFT, sentences: [doubt] });

    expect(part(panel, 'approve').disabled).toBe(true);
    expect(part(panel, 'evidence').textContent).toContain('no fact says so');
});

test('changed text must be saved and checked before it is approved', async () => {
    const panel = await written(DRAFT);
    decide.mockReturnValueOnce(answer({ ...DRAFT, body: 'New text.', version: 2 }));

    type(panel, 'body', 'New text.');
    await settle();
    expect(part(panel, 'approve').disabled).toBe(true);
    part(panel, 'save').click();
    await settle();

    expect(JSON.parse(decide.mock.calls[0][0].body)).toEqual({ version: 1, subject: 'Quote', body: 'New text.' });
    expect(part(panel, 'approve').disabled).toBe(false);
});

test('approval is sent with the version that was read, and the record page is told when it is written', async () => {
    const panel = await written(DRAFT);
    const told = jest.fn();
    panel.addEventListener(RefreshEventName, told);
    decide.mockReturnValueOnce(answer({ ...DRAFT, status: 'approved' }));
    poll.mockReturnValueOnce(answer({ ...DRAFT, status: 'written' }));

    part(panel, 'approve').click();
    await settle();
    expect(part(panel, 'state').textContent).toContain('being written into Salesforce');
    expect(part(panel, 'body').disabled).toBe(true);
    await later(1500);

    expect(decide).toHaveBeenCalledWith({ draftId: 'd-1', action: 'approve', body: '{"version":1}' });
    expect(part(panel, 'state').textContent).toContain('Saved in Salesforce');
    expect(told).toHaveBeenCalledTimes(1);
});

test('whoever was slower sees the newest text and that somebody was faster', async () => {
    const panel = await written(DRAFT);
    decide.mockReturnValueOnce(answer({ detail: 'version 2 is the newest' }, 409));
    poll.mockReturnValueOnce(answer({ ...DRAFT, version: 2, body: 'Of somebody else.' }));

    part(panel, 'approve').click();
    await settle();

    expect(part(panel, 'state').textContent).toContain('Somebody was faster');
    expect(part(panel, 'body').value).toBe('Of somebody else.');
});

test.each([
    [0, 'did not answer'],
    [401, 'panel_secret'],
    [403, 'may not'],
    [404, 'not yours'],
    [409, 'faster'],
    [429, 'Too much'],
    [500, 'log of the server'],
    [502, 'did not take it'],
    [503, 'busy']
])('status %s is told in words with its reason', async (status, words) => {
    const panel = await written({ detail: 'The reason.' }, status);

    expect(part(panel, 'state').textContent).toContain(words);
    expect(part(panel, 'state').textContent).toContain('The reason.');
    expect(part(panel, 'write').disabled).toBe(false);
});

test('a wrong field and a refusal of Apex are told in their own words', async () => {
    const panel = await written({ detail: 'instruction: too long' }, 422);
    expect(part(panel, 'state').textContent).toBe('instruction: too long');

    start.mockRejectedValueOnce({ body: { message: 'You cannot see this record.' } });
    part(panel, 'write').click();
    await settle();
    expect(part(panel, 'state').textContent).toBe('You cannot see this record.');
});

test('a server that is gone in the middle of the writing is told, and asking ends', async () => {
    const panel = await written(WRITING, 202);
    poll.mockReturnValueOnce(answer(null, 0));
    await later(700);
    await later(5000);

    expect(part(panel, 'state').textContent).toContain('did not answer');
    expect(poll).toHaveBeenCalledTimes(1);
});

test.each([
    ['scheduled', 'It is planned for later. Waits. Earliest day: 2026-12-07.'],
    ['blocked', 'Nothing may be written. Waits. Earliest day: 2026-12-07.'],
    ['no_message', 'Nothing to say today. Waits. Earliest day: 2026-12-07.'],
    ['failed', 'It could not be written. The stage was changed.'],
    ['rejected', 'Rejected. Nothing was written.'],
    ['superseded', 'A newer draft has taken its place: write another to see it.'],
    ['cancelled', 'Called off: what happened meanwhile has taken its reason away.']
])('%s is told with its reason', async (status, words) => {
    const decision = { reason: 'Waits.', earliest: '2026-12-07' };
    const panel = await written({ ...WRITING, status, decision, problem: 'The stage was changed.' });

    expect(part(panel, 'state').textContent).toBe(words);
    expect(part(panel, 'approve')).toBeNull();
});
