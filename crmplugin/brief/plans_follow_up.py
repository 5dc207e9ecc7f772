"""What each type of follow-up says, in order (sales-craft §1.3). Answer and recap have rooms of their own.

The first line after the subject is about the customer and cites a fact; there is one ask, last or last but one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

from crmplugin.brief.plan_rows import Option, Row, must, row, say

ONE_WORD = row(say("common.one_word", "close"))
"""Under a plain yes-or-no question to somebody who did not answer so far; nowhere else."""
OF_COMPANY = ("company.name",)
"""Carries what is said to "you" about the company that the reader works for."""
SLOT_ASK = say("common.slot_ask", "ask", slot="meeting_slot.starts_at")
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
    say("new_value.feature", "claim", product="news.product", feature="news.feature"),
    say("new_value.claim", "claim", claim="news_claim.text"),
    say("new_value.lead_time", "claim", product="news_product.name", lead_time="news_product.lead_time"),
    say("new_value.described", "claim", product="news_product.name", description="news_product.description"),
)  # fmt: skip
"""One new fact, the strongest first."""
BENEFIT = row(say("common.benefit", "claim", benefit="news.benefit", carried=("news.feature",)))
"""What the feature that was just told is good for."""
NO_NEWS = "something new and true to tell: an approved claim, a feature or a lead time not yet mentioned to them"

SERVICE_ACKNOWLEDGEMENT = (
    must("the number of the ticket", say("service_acknowledgement.subject", "subject", number="open_case.number")),
    must(
        "the number of the ticket",
        say(
            "service_acknowledgement.case_product",
            number="open_case.number", opened_on="open_case.opened_on", product="open_case.product",
        ),
        say("service_acknowledgement.case", number="open_case.number", opened_on="open_case.opened_on"),
        say("service_acknowledgement.case_plain", number="open_case.number"),
    ),
    row(say("common.sorry", carried=("open_case.number",))),
    row(
        say(
            "service_acknowledgement.owner_update", "claim",
            owner="open_case.owner_name", at="open_case.next_update_at",
        ),
        say("service_acknowledgement.owner", "claim", owner="open_case.owner_name"),
        say("service_acknowledgement.update", "claim", at="open_case.next_update_at"),
    ),
    row(say("service_acknowledgement.known", carried=("open_case.number",))),
    row(
        say("service_acknowledgement.ask_owner", "ask", owner="open_case.owner_name"),
        say("service_acknowledgement.ask", "ask"),
    ),
)  # fmt: skip

CASE_RESOLVED = (
    must("the number of the ticket", say("service_acknowledgement.subject", "subject", number="resolved_case.number")),
    must(
        "the number of the ticket and the day it was resolved",
        say(
            "service_acknowledgement.resolved_product",
            number="resolved_case.number", product="resolved_case.product", resolved_on="resolved_case.resolved_on",
        ),
        say(
            "service_acknowledgement.resolved",
            number="resolved_case.number", resolved_on="resolved_case.resolved_on",
        ),
    ),
    row(say("common.sorry", carried=("resolved_case.number",))),
    row(say("service_acknowledgement.reopen", "claim", owner="resolved_case.owner_name")),
    row(say("service_acknowledgement.ask_solved", "ask")),
)  # fmt: skip
"""A case that we closed and nobody confirmed: is it solved for them?"""

PROMISE_SUBJECT = row(
    say("deliver_promise.subject", "subject", due="our_promise.due"), say("deliver_promise.subject_plain", "subject")
)
PROMISE = must(
    "what we promised, in words that may be told to the customer",
    say("deliver_promise.said", promise="our_promise.text", on="our_promise.on"),
    say("deliver_promise.said_plain", promise="our_promise.text"),
)
NEW_DATE = (
    say("deliver_promise.new_date_me", "claim", by="my_by.on"),
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
    row(say("deliver_promise.ask", "ask")),
)

LATE_PROMISE = (
    PROMISE_SUBJECT,
    PROMISE,
    must("the day the promise was due", say("deliver_promise.late", "claim", due="our_promise.due")),
    must("the new day by which the promise will be kept (a slot of kind answer_by)", *NEW_DATE),
    row(say("deliver_promise.ask", "ask")),
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
        say("quote_follow_up.confirm_me", "claim", carried=("ended_quote.number",), by="my_by.on"),
        say("quote_follow_up.confirm", "claim", carried=("ended_quote.number",), name="answerer.name", by="by.on"),
        say("quote_follow_up.confirm_plain", "claim", carried=("ended_quote.number",), by="by.on"),
        LEAD_TIME,
    ),
    TALK,
    row(
        say("quote_follow_up.ask_ended", "ask", carried=("ended_quote.number",)),
        say("quote_follow_up.ask", "ask", carried=("quote.number",)),
    ),
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
    row(say("nudge_their_step.effect_quote", "claim", number="quote.number", valid_until="quote.valid_until")),
    row(LEAD_TIME),
    row(say("nudge_their_step.ask", "ask")),
)

REINTRODUCTION = (
    row(
        say("reintroduction.subject", "subject", seller="seller.name", company="company.name"),
        say("reintroduction.subject_seller", "subject", seller="seller.name"),
        say("reintroduction.subject_plain", "subject"),
    ),
    must(
        "what we did with the account so far: an order, an open quote or the day it became a customer",
        say("reintroduction.quote", number="quote.number", valid_until="quote.valid_until", carried=OF_COMPANY),
        say(
            "reintroduction.order",
            product="last_order.line1.product", ordered_on="last_order.ordered_on", carried=OF_COMPANY,
        ),
        say("reintroduction.customer_since", since="company.customer_since", carried=OF_COMPANY),
    ),
    OPEN_QUOTE_LINES,
    must(
        "the name of the colleague who writes",
        say("reintroduction.me", "claim", name="me.name", seller="seller.name"),
    ),
    row(say("reintroduction.repeat", carried=("company.name",))),
    row(
        say("reintroduction.slot_ask", "ask", slot="meeting_slot.starts_at"),
        say("common.call_ask", "ask"),
    ),
)  # fmt: skip

RENEWAL = (
    must(
        "the contract's name and its last day",
        say("renewal.subject", "subject", name="contract.name", ends_on="contract.ends_on"),
        say("renewal.subject_day", "subject", ends_on="contract.ends_on"),
    ),
    must("the contract's name and its last day", say("renewal.ends", name="contract.name", ends_on="contract.ends_on")),
    row(say("renewal.notice", "claim", notice_on="open_notice.notice_on")),
    row(
        say("renewal.started_amount", "claim", starts_on="contract.starts_on", amount="contract.yearly_amount"),
        say("renewal.started", "claim", starts_on="contract.starts_on"),
        say("renewal.amount", "claim", amount="contract.yearly_amount"),
    ),
    row(say("renewal.last_order", "claim", product="last_order.line1.product", ordered_on="last_order.ordered_on")),
    TALK,
    row(say("renewal.ask", "ask")),
)

NEW_VALUE = (
    row(
        say("new_value.subject", "subject", product="news_product.name"),
        say("new_value.subject_quote", "subject", number="quote.number"),
        say("new_value.subject_plain", "subject"),
    ),
    must(
        "what the message is about: an open quote, the product of the deal or an order",
        say(
            "new_value.quote",
            number="quote.number", product="quote.line1.product", valid_until="quote.valid_until",
        ),
        say("new_value.quote_open", number="quote.number", valid_until="quote.valid_until"),
        say("new_value.quote_plain", number="quote.number"),
        say("new_value.product", product="talked_product.name", carried=OF_COMPANY),
        say("new_value.last_order", product="last_order.line1.product", ordered_on="last_order.ordered_on"),
    ),
    must(NO_NEWS, *NEWS),
    BENEFIT,
    row(
        say("new_value.ask_quote", "ask", number="quote.number"),
        say("new_value.ask", "ask"),
    ),
)  # fmt: skip

BREAK_UP = (
    row(
        say("break_up.subject", "subject", number="quote.number"),
        say("break_up.subject_product", "subject", product="talked_product.name"),
        say("break_up.subject_plain", "subject"),
    ),
    must(
        "what stays open for them: a quote, an earlier order or the company's name",
        say("break_up.quote", number="quote.number", valid_until="quote.valid_until"),
        say("break_up.product", product="talked_product.name", carried=OF_COMPANY),
        say("break_up.order", product="last_order.line1.product", ordered_on="last_order.ordered_on"),
        say("break_up.topic", seller="seller.name", carried=OF_COMPANY),
    ),
    row(say("break_up.stop", carried=OF_COMPANY), say("break_up.stop")),
    row(say("break_up.contact", carried=OF_COMPANY), say("break_up.contact")),
    row(say("break_up.ask", "ask")),
    ONE_WORD,
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
    row(say("check_in.why", carried=("delivered_order.number",))),
    row(
        say("check_in.help_phone", "claim", phone="me.phone"),
        say("check_in.help", "claim", carried=("delivered_order.number",)),
    ),
    row(say("check_in.ask", "ask")),
)  # fmt: skip

REPLENISHMENT = (
    row(say("replenishment.subject", "subject", item="item.name"), say("replenishment.subject_plain", "subject")),
    must(
        "how often and when the item was bought",
        say("replenishment.history", item="item.name", count="repeats.count", last_on="rhythm.last_on"),
        say("replenishment.last", item="item.name", last_on="rhythm.last_on"),
    ),
    row(
        say(
            "replenishment.since_gap", "claim",
            days="rhythm.days_since", gap="rhythm.usual_gap", carried=("rhythm.last_on",),
        ),
        say("replenishment.since", "claim", days="rhythm.days_since", carried=("rhythm.last_on",)),
    ),
    row(say("replenishment.easy", carried=("due_rhythm.last_on",))),
    row(
        say("replenishment.ask_lapsed", "ask", item="item.name", carried=("lapsed_rhythm.last_on",)),
        say("replenishment.ask", "ask", carried=("rhythm.last_on",)),
    ),
)  # fmt: skip

WIN_BACK = (
    row(
        say("win_back.subject", "subject", product="last_order.line1.product"), say("win_back.subject_plain", "subject")
    ),
    must(
        "what they bought and when",
        say("win_back.last", product="last_order.line1.product", ordered_on="last_order.ordered_on"),
    ),
    must(NO_NEWS, *NEWS),
    BENEFIT,
    row(say("win_back.contact", carried=("last_order.ordered_on",))),
    row(say("win_back.ask", "ask", product="last_order.line1.product")),
)  # fmt: skip

EVENT = (
    row(
        say("event.subject", "subject", product="price_event_product.name"),
        say("event.subject_plain", "subject"),
    ),
    must(
        "an event with its source and day",
        say("event.price_change", product="price_event_product.name", on="price_event.valid_from"),
    ),
    row(say("event.owned", "claim", ordered_on="price_event_order.ordered_on")),
    row(say("event.quote", "claim", number="quote.number", valid_until="quote.valid_until")),
    row(say("event.plan", carried=("price_event.valid_from",))),
    row(say("event.ask", "ask")),
)

RELATIONSHIP = (
    row(
        say("relationship.subject", "subject", company="company.name", seller="seller.name"),
        say("relationship.subject_company", "subject", company="company.name"),
        say("relationship.subject_plain", "subject"),
    ),
    must(
        "a date to write about: customer since, a contract or an order",
        say(
            "check_in.delivered",
            product="first_use.line1.product", number="first_use.number", delivered_on="first_use.delivered_on",
        ),
        say(
            "relationship.years",
            years="company.customer_years", since="company.customer_since", carried=OF_COMPANY,
        ),
        say("relationship.since", since="company.customer_since", carried=OF_COMPANY),
        say("relationship.contract", name="contract.name", starts_on="contract.starts_on"),
        say("relationship.order", product="last_order.line1.product", ordered_on="last_order.ordered_on"),
    ),
    row(
        say("relationship.first_use", carried=("first_use.number",)),
        say("relationship.thanks", carried=("company.name",)),
    ),
    row(say("check_in.help_phone", "claim", phone="me.phone", carried=("first_use.number",))),
    row(say("relationship.ask", "ask")),
)  # fmt: skip

FOLLOW_UPS: Mapping[str, tuple[Row, ...]] = MappingProxyType(
    {
        "service_acknowledgement": SERVICE_ACKNOWLEDGEMENT,
        "service_acknowledgement_resolved": CASE_RESOLVED,
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
