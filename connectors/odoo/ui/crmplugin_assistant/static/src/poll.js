import { Component, onMounted, onWillUnmount, xml } from "@odoo/owl";
import { registry } from "@web/core/registry";
import { useService } from "@web/core/utils/hooks";
import { standardWidgetProps } from "@web/views/widgets/standard_widget_props";

const EVERY_MS = 1500;

/** Looks for the draft until it is there. All it knows is the wizard: the call itself is made by Odoo's server. */
class Poll extends Component {
    static template = xml`<span class="o_crmplugin_poll"/>`;
    static props = { ...standardWidgetProps };

    setup() {
        this.orm = useService("orm");
        onMounted(() => { this.timer = setInterval(() => this.look(), EVERY_MS); });
        onWillUnmount(() => clearInterval(this.timer));
    }

    async look() {
        const record = this.props.record;
        if (this.busy || !["writing", "scheduled"].includes(record.data.status)) {
            return;
        }
        this.busy = true;
        try {
            await this.orm.call(record.resModel, "action_look", [[record.resId]]);
            await record.load();
            this.busy = false;
        } catch (error) {
            clearInterval(this.timer);  // Told once: from here on "Look again" asks.
            throw error;
        }
    }
}

registry.category("view_widgets").add("crmplugin_poll", { component: Poll });
