// Ask, show, edit, approve. A draft is started and then asked for; no rule of selling lives here.
import { LightningElement, api } from 'lwc';
import start from '@salesforce/apex/AiAssistant.start';
import poll from '@salesforce/apex/AiAssistant.poll';
import decide from '@salesforce/apex/AiAssistant.decide';

const KINDS = [
    { value: 'follow_up', label: 'Follow-up' },
    { value: 'pitch', label: 'Pitch' },
    { value: 'negotiation_note', label: 'Negotiation note' },
    { value: 'meeting_brief', label: 'Meeting brief' },
    { value: 'qualification', label: 'Qualification' },
    { value: 'summary', label: 'Summary' }
];
const PASSING = ['supported', 'rendered'];
const WAITING = ['scheduled', 'writing', 'approved', 'writing_back'];
const WORDS = {
    scheduled: 'It is planned for later.',
    writing: 'The history is being read and the text checked.',
    proposed: 'Read it, change it, approve it.',
    blocked: 'Nothing may be written.',
    no_message: 'Nothing to say today.',
    stopped: 'Stopped. Nothing was written.',
    failed: 'It could not be written.',
    approved: 'Approved. It is being written into Salesforce.',
    writing_back: 'Approved. It is being written into Salesforce.',
    written: 'Saved in Salesforce: you find it among the activities.',
    rejected: 'Rejected. Nothing was written.'
};
const PROBLEMS = {
    0: 'The server did not answer. Try again; if it stays so, tell your admin.',
    401: 'Salesforce and the server do not trust each other: an admin compares panel_secret.',
    403: 'You may not do this.',
    404: 'This record is not yours to see.',
    409: 'Somebody was faster: the newest text is shown.',
    502: 'Salesforce did not take it.',
    503: 'The server is busy. Try again in a moment.'
};
const POLL_MS = 1500;

export default class AiDealPanel extends LightningElement {
    @api recordId;
    kinds = KINDS;
    kind = 'follow_up';
    draft = null;
    problem = '';
    busy = false;
    subject = '';
    body = '';
    timer = null;

    disconnectedCallback() {
        clearTimeout(this.timer);
    }

    get shown() {
        return Boolean(this.draft && this.draft.body);
    }

    get changed() {
        return this.shown && (this.subject !== (this.draft.subject || '') || this.body !== this.draft.body);
    }

    get state() {
        if (this.problem) {
            return this.problem;
        }
        if (!this.draft) {
            return '';
        }
        const reason = (this.draft.decision && this.draft.decision.reason) || '';
        const words = WORDS[this.draft.status] || this.draft.status;
        return ['blocked', 'no_message', 'failed'].includes(this.draft.status) ? `${words} ${reason}`.trim() : words;
    }

    get stateClass() {
        return this.problem ? 'slds-text-color_error' : 'slds-text-color_weak';
    }

    get evidence() {
        const labels = new Map((this.draft.facts || []).map((fact) => [fact.id, `${fact.label} ${fact.display}`]));
        return this.sentences.map((one, n) => ({
            key: n,
            text: one.text,
            class: PASSING.includes(one.verdict) ? '' : 'slds-text-color_error',
            sources: one.evidence.map((id) => labels.get(id) || id).join(', ') || one.reason || 'no fact needed'
        }));
    }

    get sentences() {
        return (this.draft.sentences || []).filter((one) => one.action !== 'removed');
    }

    get cannotSave() {
        return this.busy || !this.changed || this.draft.status !== 'proposed';
    }

    get cannotApprove() {
        const good = this.draft.status === 'proposed' && this.sentences.every((one) => PASSING.includes(one.verdict));
        return this.busy || this.changed || !good;
    }

    chooseKind(event) {
        this.kind = event.detail.value;
    }

    changeSubject(event) {
        this.subject = event.detail.value;
    }

    changeBody(event) {
        this.body = event.detail.value;
    }

    write() {
        // The same click sent twice is one draft.
        const key = `lwc-${this.recordId}-${Date.now()}-${Math.random().toString(36).slice(2)}`;
        return this.run(() => start({ recordId: this.recordId, kind: this.kind, key }));
    }

    save() {
        const change = { version: this.draft.version, subject: this.subject, body: this.body };
        return this.decided('edit', change);
    }

    approve() {
        return this.decided('approve', { version: this.draft.version });
    }

    reject() {
        return this.decided('reject', { version: this.draft.version });
    }

    decided(action, body) {
        return this.run(() => decide({ draftId: this.draft.id, action, body: JSON.stringify(body) }));
    }

    async run(call) {
        clearTimeout(this.timer);
        this.busy = true;
        this.problem = '';
        try {
            this.take(JSON.parse(await call()));
        } catch (error) {
            this.problem = (error && error.body && error.body.message) || PROBLEMS[0];
        }
        this.busy = Boolean(this.draft && !this.problem && WAITING.includes(this.draft.status));
        if (this.busy) {
            // eslint-disable-next-line @lwc/lwc/no-async-operation
            this.timer = setTimeout(() => this.run(() => poll({ draftId: this.draft.id })), POLL_MS);
        }
    }

    take({ status, document }) {
        if (status >= 200 && status < 300 && document) {
            this.draft = document;
            this.subject = document.subject || '';
            this.body = document.body || '';
            return;
        }
        const detail = (document && document.detail) || '';
        this.problem = status === 422 || !PROBLEMS[status] ? detail || PROBLEMS[0] : `${PROBLEMS[status]} ${detail}`.trim();
    }
}
