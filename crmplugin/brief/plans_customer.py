"""What a pitch, a service reply, a help answer and a public reply say, in order (sales-craft §2.7, §5.5)."""

from __future__ import annotations

from crmplugin.brief.plan_rows import must, row, say
from crmplugin.brief.plans_follow_up import CLOSE, HELP, SLOT_OR

NO_PRODUCT = "a product to offer that they do not own yet, with a feature, a claim or a description"

PITCH = (
    row(
        say("pitch.subject", "subject", product="offer.name", company="company.name"),
        say("pitch.subject_product", "subject", product="offer.name"),
        say("pitch.subject_plain", "subject"),
    ),
    must(
        "a stated need, an earlier order or the company's name",
        say("pitch.need", need="need.text", on="need.on"),
        say("pitch.owned_times", item="item.name", count="rhythm.count", last_on="rhythm.last_on"),
        say("pitch.owned", product="last_order.line1.product", ordered_on="last_order.ordered_on"),
        say("pitch.company", company="company.name", product="offer.name"),
    ),
    row(say("pitch.bridge", product="offer.name")),
    must(
        NO_PRODUCT,
        say("common.feature", "claim", product="offer.name", feature="offer.feature"),
        say("pitch.described", "claim", product="offer.name", description="offer.description"),
        say("common.claim", "claim", product="offer.name", claim="offer_claim.text"),
        say("common.lead_time", "claim", product="offer.name", lead_time="offer.lead_time"),
    ),
    row(say("common.benefit", "claim", benefit="offer.benefit", carried=("offer.feature",))),
    row(
        say("common.feature", "claim", product="offer.name", feature="offer.feature_more"),
        say("common.lead_time", "claim", product="offer.name", lead_time="offer.lead_time"),
    ),
    row(say("common.claim", "claim", product="offer.name", claim="offer_claim.text")),
    row(SLOT_OR, say("pitch.ask", "ask", product="offer.name")),
    CLOSE,
)

DISCOVERY = (
    row(say("pitch.discover_subject", "subject")),
    must(
        "a stated need, an earlier order or the company's name",
        say("pitch.need", need="need.text", on="need.on"),
        say("pitch.owned_times", item="item.name", count="rhythm.count", last_on="rhythm.last_on"),
        say("pitch.owned", product="last_order.line1.product", ordered_on="last_order.ordered_on"),
    ),
    row(say("stage_step.qualified_why")),
    HELP,
    row(say("pitch.ask_discover", "ask")),
    CLOSE,
)
"""A pitch with nothing to pitch: a question about the need."""

SERVICE_REPLY = (
    must(
        "the number of the ticket",
        say("service_reply.subject", "subject", number="ticket.number"),
        say("service_reply.subject_plain", "subject", carried=("inbound.on",)),
    ),
    must(
        "the number of the ticket, or the message",
        say("service_acknowledgement.case", number="ticket.number", opened_on="ticket.opened_on"),
        say("service_acknowledgement.case_plain", number="ticket.number"),
        say("answer.message", on="inbound.on"),
    ),
    row(say("common.sorry", carried=("upset.on",)), say("common.sorry", carried=("bad_ticket.number",))),
    row(say("passage.solution", "claim", article="article.text")),
    row(
        say("service_acknowledgement.owner_update", "claim", owner="ticket.owner_name", at="ticket.next_update_at"),
        say("service_acknowledgement.owner", "claim", owner="ticket.owner_name"),
        say("service_acknowledgement.update", "claim", at="ticket.next_update_at"),
    ),
    row(say("service_reply.past", "claim", number="past_ticket.number", opened_on="past_ticket.opened_on")),
    row(
        say("service_reply.ask", "ask", carried=("article.text",)),
        say("service_acknowledgement.ask", "ask"),
    ),
    row(say("service_reply.next", "close", carried=("article.text",)), say("service_acknowledgement.close", "close")),
)

HELP_ANSWER = (
    row(say("help_answer.subject", "subject", title="article.title"), say("help_answer.subject_plain", "subject")),
    row(say("answer.asked", on="question.on"), say("answer.message", on="inbound.on")),
    must("a public article that answers the question", say("passage.article", "claim", article="article.text")),
    row(say("help_answer.ask", "ask")),
    row(say("help_answer.person", "close", name="me.name"), say("help_answer.person_plain", "close")),
)

SOCIAL_PLEASED = (
    must("the public message", say("social_reply.thanks", carried=("inbound.on",))),
    row(say("social_reply.team")),
)
SOCIAL_UPSET = (
    must("the public message", say("social_reply.sorry", carried=("inbound.on",))),
    row(say("social_reply.private", "ask")),
)
SOCIAL_NEUTRAL = (
    must("the public message", say("social_reply.heard", carried=("inbound.on",))),
    row(say("social_reply.private", "ask")),
)
