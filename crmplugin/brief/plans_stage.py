"""One step of the stage a deal is in: seven kinds of stage, each with a purpose of its own."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from crmplugin.brief.plan_rows import Row, must, row, say
from crmplugin.brief.plans_follow_up import LEAD_TIME, OF_COMPANY, QUOTE_LINES

NO_QUOTE = "the number of a quote that was sent"
SUBJECT_PLAIN = say("stage_step.subject_plain", "subject")

PURPOSES: Mapping[str, str] = MappingProxyType(
    {
        "new": "first contact: learn what they want to achieve",
        "qualified": "qualify: learn what the solution has to do",
        "proposal": "explain the proposal",
        "negotiation": "settle the open points",
        "closing": "get the signature",
        "won": "thank and name who delivers",
        "lost": "thank and learn why",
    }
)
"""What a step of each stage is for; it stands in the plan as its angle."""

STAGE_STEPS: Mapping[str, tuple[Row, ...]] = MappingProxyType(
    {
        "new": (
            row(
                say("stage_step.new_subject", "subject", seller="seller.name", company="company.name"),
                say("stage_step.new_subject_plain", "subject"),
            ),
            must(
                "what they wrote, or the company's name",
                say("stage_step.new_wrote", on="inbound.on"),
                say("stage_step.new_company", carried=OF_COMPANY),
            ),
            row(say("stage_step.new_me", "claim", name="me.name", seller="seller.name")),
            row(LEAD_TIME),
            row(say("stage_step.qualified_why", carried=OF_COMPANY)),
            row(say("stage_step.new_ask", "ask")),
        ),
        "qualified": (
            row(say("stage_step.qualified_subject", "subject", product="product.name"), SUBJECT_PLAIN),
            must(
                "the product the deal is about, or what they wrote",
                say("stage_step.qualified_product", product="product.name", carried=OF_COMPANY),
                say("stage_step.new_wrote", on="inbound.on"),
                say("stage_step.new_company", carried=OF_COMPANY),
            ),
            row(say("stage_step.qualified_why", carried=OF_COMPANY)),
            row(LEAD_TIME),
            row(say("stage_step.qualified_ask", "ask")),
        ),
        "proposal": (
            must(NO_QUOTE, say("stage_step.proposal_subject", "subject", number="quote.number")),
            must(
                NO_QUOTE,
                say("stage_step.proposal_quote", number="quote.number", sent_on="quote.sent_on"),
                say("stage_step.proposal_quote_plain", number="quote.number"),
            ),
            QUOTE_LINES,
            row(say("new_value.valid", "claim", number="quote.number", valid_until="quote.valid_until")),
            row(LEAD_TIME),
            row(
                say("stage_step.proposal_slot_ask", "ask", slot="meeting_slot.starts_at"),
                say("stage_step.proposal_ask", "ask"),
            ),
        ),
        "negotiation": (
            must(NO_QUOTE, say("stage_step.negotiation_subject", "subject", number="quote.number")),
            must(NO_QUOTE, say("stage_step.negotiation_quote", number="quote.number")),
            row(say("new_value.valid", "claim", number="quote.number", valid_until="quote.valid_until")),
            row(say("stage_step.negotiation_why", carried=("quote.number",))),
            row(say("stage_step.negotiation_ask", "ask")),
        ),
        "closing": (
            must(NO_QUOTE, say("stage_step.closing_subject", "subject", number="quote.number")),
            must(
                NO_QUOTE,
                say("stage_step.closing_quote", number="quote.number", valid_until="quote.valid_until"),
                say("stage_step.closing_quote_plain", number="quote.number"),
            ),
            QUOTE_LINES,
            row(LEAD_TIME),
            row(say("stage_step.closing_ask", "ask")),
        ),
        "won": (
            row(say("stage_step.won_subject", "subject", number="deal_order.number"), SUBJECT_PLAIN),
            must(
                "the order or the quote they decided for",
                say("stage_step.won_order", number="deal_order.number", ordered_on="deal_order.ordered_on"),
                say("stage_step.won_quote", number="any_quote.number"),
            ),
            row(LEAD_TIME),
            row(say("stage_step.won_ask", "ask")),
        ),
        "lost": (
            row(say("stage_step.lost_subject", "subject", number="any_quote.number"), SUBJECT_PLAIN),
            must("the quote they decided on", say("stage_step.lost_quote", number="any_quote.number")),
            row(say("stage_step.lost_accept", carried=("any_quote.number",))),
            row(say("break_up.contact", carried=OF_COMPANY), say("break_up.contact")),
            row(say("stage_step.lost_ask", "ask")),
        ),
    }
)
