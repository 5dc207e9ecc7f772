// What the panel says of each state of a draft and of each answer of the server.

export const KINDS = [
    { value: 'follow_up', label: 'Follow-up' },
    { value: 'pitch', label: 'Pitch' },
    { value: 'negotiation_note', label: 'Negotiation note' },
    { value: 'meeting_brief', label: 'Meeting brief' },
    { value: 'qualification', label: 'Qualification' },
    { value: 'summary', label: 'Summary' }
];

export const STATES = {
    scheduled: 'It is planned for later.',
    writing: 'The history is being read and the text written. Grey text is not checked yet.',
    proposed: 'Read it, change it, approve it.',
    blocked: 'Nothing may be written.',
    no_message: 'Nothing to say today.',
    stopped: 'Stopped. Nothing was written.',
    failed: 'It could not be written.',
    approved: 'Approved. It is being written into Salesforce.',
    writing_back: 'Approved. It is being written into Salesforce.',
    written: 'Saved in Salesforce: you find it among the activities, notes or fields of this record.',
    rejected: 'Rejected. Nothing was written.',
    superseded: 'A newer draft has taken its place: write another to see it.',
    cancelled: 'Called off: what happened meanwhile has taken its reason away.'
};

export const PROBLEMS = {
    0: 'The server did not answer. Try again; if it stays so, tell your admin.',
    401: 'Salesforce and the server do not trust each other: an admin compares panel_secret.',
    403: 'You may not do this.',
    404: 'This record is not yours to see.',
    409: 'Somebody was faster: the newest text is shown.',
    429: 'Too much was asked at once. Try again in a moment.',
    500: 'That did not work: an admin finds the reason in the log of the server.',
    502: 'Salesforce did not take it.',
    503: 'The server is busy. Try again in a moment.'
};

/** What a draft's state means, with its reason where it has one. */
export function sayState(draft) {
    const words = STATES[draft.status] || draft.status;
    const decision = draft.decision || {};
    const earliest = decision.earliest ? `Earliest day: ${decision.earliest}.` : '';
    const reasons = {
        scheduled: [decision.reason, earliest],
        blocked: [decision.reason, earliest],
        no_message: [decision.reason, earliest],
        failed: [draft.problem || decision.reason]
    };
    return [words, ...(reasons[draft.status] || [])].filter(Boolean).join(' ');
}

/** What an answer that is no draft means. A field that is wrong (422) and an unknown status speak for themselves. */
export function sayProblem(status, detail) {
    if (!PROBLEMS[status]) {
        return detail || PROBLEMS[500];
    }
    return detail ? `${PROBLEMS[status]} ${detail}` : PROBLEMS[status];
}
