// Ask, see it arrive, edit, approve. A draft is started and then asked for; no rule of selling lives here.
import { LightningElement, api } from 'lwc';
import { RefreshEvent } from 'lightning/refresh';
import start from '@salesforce/apex/AiAssistant.start';
import poll from '@salesforce/apex/AiAssistant.poll';
import decide from '@salesforce/apex/AiAssistant.decide';
import { KINDS, PROBLEMS, sayProblem, sayState } from './words';

const PASSING = ['supported', 'rendered'];
/** How long to wait before a draft in this state is asked for again, in ms. */
const AGAIN_MS = { writing: 700, approved: 1500, writing_back: 1500 };

export default class AiDealPanel extends LightningElement {
    @api recordId;
    kinds = KINDS;
    kind = 'follow_up';
    wish = '';
    draft = null;
    problem = '';
    busy = false;
    subject = '';
    body = '';
    timer = null;
    newest = 0;

    disconnectedCallback() {
        clearTimeout(this.timer);
    }

    get writing() {
        return Boolean(this.draft && !this.problem && this.draft.status === 'writing');
    }

    get lines() {
        return (this.draft.arriving || []).map((one, n) => ({ key: n, text: one.text, class: lookOf(one.verdict) }));
    }

    get shown() {
        return Boolean(this.draft && this.draft.body && this.draft.status !== 'writing');
    }

    get fixed() {
        return this.busy || this.draft.status !== 'proposed';
    }

    get to() {
        return this.draft.to && this.draft.to.display_name ? `To ${this.draft.to.display_name}` : 'Internal note';
    }

    get warnings() {
        return (this.draft.warnings || []).map((one, n) => ({ key: n, text: one.text }));
    }

    get changed() {
        return this.shown && (this.subject !== (this.draft.subject || '') || this.body !== this.draft.body);
    }

    get state() {
        return this.problem || (this.draft ? sayState(this.draft) : '');
    }

    get stateClass() {
        return this.problem ? 'slds-text-color_error' : 'slds-text-color_weak';
    }

    get evidence() {
        const labels = new Map((this.draft.facts || []).map((fact) => [fact.id, `${fact.label}: ${fact.display}`]));
        return this.sentences
            .filter((one) => one.evidence.length || !PASSING.includes(one.verdict))
            .map((one, n) => ({
                key: n,
                text: one.text,
                class: PASSING.includes(one.verdict) ? '' : 'slds-text-color_error',
                sources: one.evidence.map((id) => labels.get(id) || id).join(' · ') || one.reason || one.verdict
            }));
    }

    get sentences() {
        return (this.draft.sentences || []).filter((one) => one.action !== 'removed');
    }

    get cannotSave() {
        return this.fixed || !this.changed;
    }

    get cannotReject() {
        return this.fixed;
    }

    get cannotApprove() {
        return this.fixed || this.changed || !this.sentences.every((one) => PASSING.includes(one.verdict));
    }

    chooseKind(event) {
        this.kind = event.detail.value;
    }

    changeWish(event) {
        this.wish = event.detail.value;
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
        this.draft = null;
        const asked = { kind: this.kind, instruction: this.wish.trim() };
        return this.run(() => start({ recordId: this.recordId, asked, key }));
    }

    stop() {
        return this.decided('stop', {});
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
        // Only the newest call counts: one that was on its way when Stop was pressed says what was before it.
        this.newest += 1;
        const mine = this.newest;
        this.busy = true;
        this.problem = '';
        let answer;
        try {
            answer = JSON.parse(await call());
        } catch (error) {
            answer = { status: -1, document: { detail: (error && error.body && error.body.message) || PROBLEMS[0] } };
        }
        if (mine !== this.newest) {
            return;
        }
        await this.take(answer);
        this.goOn();
    }

    goOn() {
        const wait = this.draft && !this.problem ? AGAIN_MS[this.draft.status] : undefined;
        this.busy = Boolean(wait);
        if (wait) {
            // eslint-disable-next-line @lwc/lwc/no-async-operation
            this.timer = setTimeout(() => this.run(() => poll({ draftId: this.draft.id })), wait);
        }
    }

    async take({ status, document }) {
        if (status >= 200 && status < 300 && document) {
            this.show(document);
            return;
        }
        this.problem = sayProblem(status, document && document.detail);
        if (status === 409 && this.draft) {
            await this.readAgain();
        }
    }

    /** The newest text, after somebody else was faster; the problem stays to be read. */
    async readAgain() {
        try {
            const answer = JSON.parse(await poll({ draftId: this.draft.id }));
            if (answer.status === 200) {
                this.show(answer.document);
            }
        } catch {
            // What is shown stays as it was.
        }
    }

    show(document) {
        const before = this.draft && this.draft.status;
        this.draft = document;
        this.subject = document.subject || '';
        this.body = document.body || '';
        if (document.status === 'written' && before !== 'written') {
            this.dispatchEvent(new RefreshEvent());
        }
    }
}

function lookOf(verdict) {
    if (!verdict) {
        return 'arriving';
    }
    return PASSING.includes(verdict) ? '' : 'doubt';
}
