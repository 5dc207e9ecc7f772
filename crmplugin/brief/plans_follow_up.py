"""What each type of follow-up says, in order (sales-craft §1.3). Answer and recap have rooms of their own.

The first line after the subject is about the customer and cites a fact; there is one ask, last or last but one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

from crmplugin.brief.plan_rows import Option, Row, must, row, say

CLOSE = row(say("common.close", "close"))
HELP = row(say("common.help"))
SLOT_OR = say("common.slot_ask", "ask", slot="meeting_slot.starts_at")
QUOTE_LINES = row(
    say(
        "quote_follow_up.line2", "claim",
        quantity="two_lines.line1.quantity", product="two_lines.line1.product",
        quantity2="two_lines.line2.quantity", product2="two_lines.line2.product",
    ),
    say("quote_follow_up.line1", "claim", quantity="one_line.line1.quantity", product="one_line.line1.product"),
)  # fmt: skip
OPEN_QUOTE_LINES = row(*(replace(option, evidence=("quote.valid_until",)) for option in QUOTE_LINES.options))
TALK = row(say("quote_follow_up.talk", "claim", slot="meeting_slot.starts_at"))
LEAD_TIME = say("common.lead_time", "claim", product="product.name", lead_time="product.lead_time")
NEWS: tuple[Option, ...] = (
    say("common.claim", "claim", product="claimed_product.name", claim="news_claim.text"),
    say("common.feature", "claim", product="news_product.name", feature="news_product.feature1"),
    say("common.lead_time", "claim", product="news_product.name", lead_time="news_product.lead_time"),
    say("pitch.described", "claim", product="news_product.name", description="news_product.description"),
)
"""One new fact, the strongest first."""
NO_NEWS = "something new and true to tell: an approved claim, a feature or a lead time not yet mentioned to them"

SERVICE_ACKNOWLEDGEMENT = (
    must("the number of the ticket", say("service_acknowledgement.subject", "subject", number="ticket.number")),
    must(
        "the number of the ticket",
        say("service_acknowledgement.case", number="ticket.number", opened_on="ticket.opened_on"),
        say("service_acknowledgement.case_plain", number="ticket.number"),
    ),
    row(say("common.sorry", carried=("ticket.number",))),
    row(
        say("service_acknowledgement.owner_update", "claim", owner="ticket.owner_name", at="ticket.next_update_at"),
        say("service_acknowledgement.owner", "claim", owner="ticket.owner_name"),
        say("service_acknowledgement.update", "claim", at="ticket.next_update_at"),
    ),
    row(say("service_acknowledgement.known", carried=("ticket.number",))),
    row(say("service_acknowledgement.ask", "ask")),
    row(say("service_acknowledgement.close", "close")),
)

PROMISE_SUBJECT = row(
    say("deliver_promise.subject", "subject", due="our_promise.due"), say("deliver_promise.subject_plain", "subject")
)
PROMISE = must(
    "what we promised, in words that may be told to the customer",
    say("deliver_promise.said", promise="our_promise.text", on="our_promise.on"),
    say("deliver_promise.said_plain", promise="our_promise.text"),
)
NEW_DATE = (
    say("deliver_promise.new_date", "claim", name="answerer.name", by="by.on"),
    say("deliver_promise.new_date_plain", "claim", by="by.on"),
)

DELIVER_PROMISE = (
    PROMISE_SUBJECT,
    PROMISE,
    must(
        "the day the promise is due, or a day by which it will be kept (a slot of kind answer_by)",
        say("deliver_promise.due", "claim", due="our_promise.due"),
        *NEW_DATE,
    ),
    HELP,
    row(say("deliver_promise.ask", "ask")),
    CLOSE,
)

LATE_PROMISE = (
    PROMISE_SUBJECT,
    PROMISE,
    must("the day the promise was due", say("deliver_promise.late", "claim", due="our_promise.due")),
    must("the new day by which the promise will be kept (a slot of kind answer_by)", *NEW_DATE),
    HELP,
    row(say("deliver_promise.ask", "ask")),
    CLOSE,
)

QUOTE_FOLLOW_UP = (
    must(
        "the number and the last day of a quote that was sent",
        say("quote_follow_up.subject", "subject", number="quote.number", valid_until="quote.valid_until"),
        say(
            "quote_follow_up.subject_ended", "subject",
            number="ended_quote.number", valid_until="ended_quote.valid_until",
        ),
    ),
    must(
        "the number and the last day of a quote that was sent",
        say("quote_follow_up.open", number="quote.number", valid_until="quote.valid_until"),
        say("quote_follow_up.ended", number="ended_quote.number", valid_until="ended_quote.valid_until"),
    ),
    QUOTE_LINES,
    row(
        say("quote_follow_up.confirm", "claim", carried=("ended_quote.number",), name="answerer.name", by="by.on"),
        say("quote_follow_up.confirm_plain", "claim", carried=("ended_quote.number",), by="by.on"),
        LEAD_TIME,
    ),
    TALK,
    HELP,
    row(
        say("quote_follow_up.ask_ended", "ask", carried=("ended_quote.number",)),
        say("quote_follow_up.ask", "ask", carried=("quote.number",)),
    ),
    CLOSE,
)  # fmt: skip

NUDGE_THEIR_STEP = (
    row(
        say("nudge_their_step.subject", "subject", due="their_promise.due"),
        say("nudge_their_step.subject_plain", "subject"),
    ),
    must(
        "the step that is with the customer, in words that may be told",
        say("nudge_their_step.said", promise="their_promise.text", on="their_promise.on"),
        say("nudge_their_step.said_plain", promise="their_promise.text"),
    ),
    must("the day the customer's step was due", say("nudge_their_step.due", "claim", due="their_promise.due")),
    row(
        say("nudge_their_step.effect_quote", "claim", number="quote.number", valid_until="quote.valid_until"),
        LEAD_TIME,
    ),
    HELP,
    row(say("nudge_their_step.ask", "ask")),
    CLOSE,
)

REINTRODUCTION = (
    row(
        say("reintroduction.subject", "subject", seller="seller.name", company="company.name"),
        say("reintroduction.subject_plain", "subject"),
    ),
    must(
        "what we did with the account so far: an order, an open quote or the day it became a customer",
        say("reintroduction.quote", company="company.name", number="quote.number", valid_until="quote.valid_until"),
        say(
            "reintroduction.order",
            company="company.name", product="last_order.line1.product", ordered_on="last_order.ordered_on",
        ),
        say("reintroduction.customer_since", company="company.name", since="company.customer_since"),
    ),
    OPEN_QUOTE_LINES,
    must(
        "the name of the colleague who writes",
        say("reintroduction.me", "claim", name="me.name", seller="seller.name"),
    ),
    row(say("reintroduction.repeat", carried=("company.name",))),
    row(SLOT_OR, say("common.call_ask", "ask")),
    CLOSE,
)  # fmt: skip

RENEWAL = (
    must(
        "the contract's name and its last day",
        say("renewal.subject", "subject", name="contract.name", ends_on="contract.ends_on"),
    ),
    must("the contract's name and its last day", say("renewal.ends", name="contract.name", ends_on="contract.ends_on")),
    row(say("renewal.notice", "claim", notice_on="open_notice.notice_on")),
    row(say("renewal.started", "claim", starts_on="contract.starts_on")),
    row(
        say("renewal.last_order", "claim", product="last_order.line1.product", ordered_on="last_order.ordered_on"),
    ),
    row(say("renewal.amount", "claim", amount="contract.yearly_amount")),
    TALK,
    HELP,
    row(say("renewal.ask", "ask")),
    CLOSE,
)

NEW_VALUE = (
    row(
        say("new_value.subject", "subject", product="news_product.name"),
        say("new_value.subject_quote", "subject", number="quote.number"),
        say("new_value.subject_plain", "subject"),
    ),
    must(
        "what the message is about: an open quote, the product of the deal or an order",
        say("new_value.quote", number="quote.number", product="quote.line1.product"),
        say("new_value.quote_plain", number="quote.number"),
        say("new_value.product", product="product.name", company="company.name"),
        say("new_value.last_order", product="last_order.line1.product", ordered_on="last_order.ordered_on"),
    ),
    row(say("new_value.new")),
    must(NO_NEWS, *NEWS),
    row(say("common.benefit", "claim", benefit="news_product.feature1.benefit")),
    row(say("new_value.valid", "claim", number="quote.number", valid_until="quote.valid_until")),
    HELP,
    row(say("new_value.ask", "ask")),
    CLOSE,
)

BREAK_UP = (
    row(say("break_up.subject", "subject", number="quote.number"), say("break_up.subject_plain", "subject")),
    must(
        "what stays open for them: a quote, an earlier order or the company's name",
        say("break_up.quote", number="quote.number", valid_until="quote.valid_until"),
        say("break_up.order", product="last_order.line1.product", ordered_on="last_order.ordered_on"),
        say("break_up.topic", company="company.name", seller="seller.name"),
    ),
    row(say("break_up.stop")),
    row(say("break_up.contact")),
    row(say("break_up.ask", "ask")),
    CLOSE,
)

CHECK_IN = (
    row(say("check_in.subject", "subject", number="delivered_order.number"), say("check_in.subject_plain", "subject")),
    must(
        "the order and the day it was delivered",
        say(
            "check_in.delivered",
            product="delivered_order.line1.product", number="delivered_order.number",
            delivered_on="delivered_order.delivered_on",
        ),
        say(
            "check_in.delivered_plain",
            number="delivered_order.number", delivered_on="delivered_order.delivered_on",
        ),
    ),
    row(say("check_in.why")),
    HELP,
    row(say("check_in.ask", "ask")),
    CLOSE,
)  # fmt: skip

REPLENISHMENT = (
    row(say("replenishment.subject", "subject", item="item.name"), say("replenishment.subject_plain", "subject")),
    must(
        "how often and when the item was bought",
        say("replenishment.history", item="item.name", count="rhythm.count", last_on="rhythm.last_on"),
        say("replenishment.last", item="item.name", last_on="rhythm.last_on"),
    ),
    row(say("replenishment.since", "claim", days="rhythm.days_since", carried=("rhythm.last_on",))),
    row(say("replenishment.gap", "claim", gap="rhythm.usual_gap")),
    row(say("replenishment.easy", carried=("due_rhythm.last_on",)), say("common.help")),
    row(
        say("replenishment.ask_lapsed", "ask", item="item.name", carried=("lapsed_rhythm.last_on",)),
        say("replenishment.ask", "ask", carried=("rhythm.last_on",)),
    ),
    CLOSE,
)

WIN_BACK = (
    row(
        say("win_back.subject", "subject", product="last_order.line1.product"), say("win_back.subject_plain", "subject")
    ),
    must(
        "what they bought and when",
        say("win_back.last", product="last_order.line1.product", ordered_on="last_order.ordered_on"),
    ),
    row(say("replenishment.since", "claim", days="same_item.days_since", carried=("same_item.last_on",))),
    row(say("win_back.new")),
    must(NO_NEWS, *NEWS),
    row(say("common.benefit", "claim", benefit="news_product.feature1.benefit")),
    HELP,
    row(say("win_back.ask", "ask", product="last_order.line1.product")),
    CLOSE,
)

EVENT = (
    row(
        say("event.subject", "subject", product="price_event_product.name"),
        say("event.subject_plain", "subject"),
    ),
    must(
        "an event with its source and day",
        say("event.price_change", product="price_event_product.name", on="price_event.valid_from"),
    ),
    row(say("event.owned", "claim", product="last_order.line1.product", ordered_on="last_order.ordered_on")),
    row(say("event.quote", "claim", number="quote.number", valid_until="quote.valid_until")),
    HELP,
    row(say("event.ask", "ask")),
    CLOSE,
)

RELATIONSHIP = (
    row(
        say("relationship.subject", "subject", company="company.name", seller="seller.name"),
        say("relationship.subject_plain", "subject"),
    ),
    must(
        "a date to write about: customer since, a contract or an order",
        say(
            "check_in.delivered",
            product="first_use.line1.product", number="first_use.number", delivered_on="first_use.delivered_on",
        ),
        say("relationship.since", company="company.name", since="company.customer_since"),
        say("relationship.contract", name="contract.name", starts_on="contract.starts_on"),
        say("relationship.order", product="last_order.line1.product", ordered_on="last_order.ordered_on"),
    ),
    row(say("relationship.thanks")),
    row(say("relationship.no_offer")),
    HELP,
    row(say("relationship.ask", "ask")),
)  # fmt: skip

FOLLOW_UPS: Mapping[str, tuple[Row, ...]] = MappingProxyType(
    {
        "service_acknowledgement": SERVICE_ACKNOWLEDGEMENT,
        "deliver_promise": DELIVER_PROMISE,
        "deliver_promise_late": LATE_PROMISE,
        "quote_follow_up": QUOTE_FOLLOW_UP,
        "nudge_their_step": NUDGE_THEIR_STEP,
        "reintroduction": REINTRODUCTION,
        "renewal": RENEWAL,
        "new_value": NEW_VALUE,
        "break_up": BREAK_UP,
        "check_in": CHECK_IN,
        "replenishment": REPLENISHMENT,
        "win_back": WIN_BACK,
        "event": EVENT,
        "relationship": RELATIONSHIP,
    }
)
