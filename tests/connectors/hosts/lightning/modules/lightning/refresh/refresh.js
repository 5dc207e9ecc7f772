// The event by which a component asks the record page to read itself again; it comes with the platform.
export class RefreshEvent extends CustomEvent {
    constructor() {
        super('lightning__refresh', { composed: true, cancelable: true, bubbles: true });
    }
}
