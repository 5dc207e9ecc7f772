"""What a pitch, a service reply, a help answer and a public reply say, in order (sales-craft §2.7, §5.5)."""

from __future__ import annotations

from dataclasses import replace

from crmplugin.brief.plan_rows import must, row, say
from crmplugin.brief.plans_follow_up import OF_COMPANY

ACCOUNT_FACT = "a fact of this account beyond its name: a need, an order, a product they own"
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
        say("pitch.message", product="offer.name", on="need.on", carried=("need.carried",)),
        say("pitch.deal", product="deal_offer.name", carried=OF_COMPANY),
        say("pitch.owned_fitting", product="fitting.name", ordered_on="fitting_order.ordered_on"),
        say("pitch.owned_times", item="item.name", count="repeats.count", last_on="rhythm.last_on"),
        say("pitch.owned", product="last_order.line1.product", ordered_on="last_order.ordered_on"),
        say("pitch.company", product="offer.name", carried=OF_COMPANY),
    ),
    row(
        say("pitch.fits", "claim", product="offer.name", owned="offer.fits"),
        say("pitch.bridge", product="offer.name", carried=("need.text",)),
    ),
    must(
        NO_PRODUCT,
        say("common.feature", "claim", product="offer.name", feature="offer.feature"),
        say("pitch.described", "claim", product="offer.name", description="offer.description"),
        say("common.claim", "claim", claim="offer_claim.text", carried=("offer.name",)),
        say("common.lead_time", "claim", product="offer.name", lead_time="offer.lead_time"),
    ),
    row(say("common.benefit", "claim", benefit="offer.benefit", carried=("offer.feature",))),
    row(say("pitch.feature_more", "claim", feature="offer.feature_more")),
    row(say("common.claim", "claim", claim="offer_claim.text", carried=("offer.name",))),
    row(
        say("pitch.bargain_until", "claim", offer="bargain.text", until="bargain.valid_until", carried=("offer.name",)),
        say("common.claim", "claim", claim="bargain.text", carried=("offer.name",)),
    ),
    row(say("common.lead_time", "claim", product="offer.name", lead_time="offer.lead_time")),
    row(
        say("pitch.slot_ask", "ask", product="offer.name", slot="meeting_slot.starts_at", carried=("need.text",)),
        say("pitch.ask", "ask", product="offer.name"),
    ),
)  # fmt: skip
"""Their need or history, one product and what it does for them, proof, an easy next step. Without a stated need the
ask is a question of interest and no meeting."""

CAMPAIGN_OFFER = tuple(
    replace(line, options=tuple(o for o in line.options if o.key != "pitch.company"), need=ACCOUNT_FACT)
    if any(o.key == "pitch.company" for o in line.options)
    else line
    for line in PITCH
)
"""The offer of a campaign: as a pitch, but the name of the company alone is no reason to write to it."""

DISCOVERY = (
    row(say("pitch.discover_subject", "subject")),
    must(
        "a stated need, an earlier order or the company's name",
        say("pitch.need", need="need.text", on="need.on"),
        say("pitch.owned_times", item="item.name", count="repeats.count", last_on="rhythm.last_on"),
        say("pitch.owned", product="last_order.line1.product", ordered_on="last_order.ordered_on"),
        say("pitch.discover_company", carried=OF_COMPANY),
    ),
    row(say("pitch.discover_why", carried=OF_COMPANY)),
    row(say("pitch.ask_discover", "ask")),
)
"""A pitch with nothing to pitch: a question about the need."""

SERVICE_REPLY = (
    must(
        "the number of a ticket, or a message of theirs that waits for an answer",
        say("service_reply.subject", "subject", number="open_case.number"),
        say("service_reply.subject", "subject", number="resolved_case.number"),
        say("service_reply.subject_plain", "subject", carried=("waiting.on",)),
    ),
    must(
        "the number of a ticket, or a message of theirs that waits for an answer",
        say(
            "service_acknowledgement.case_product",
            number="open_case.number", opened_on="open_case.opened_on", product="open_case.product",
        ),
        say("service_acknowledgement.case", number="open_case.number", opened_on="open_case.opened_on"),
        say("service_acknowledgement.case_plain", number="open_case.number"),
        say(
            "service_acknowledgement.resolved_product",
            number="resolved_case.number", product="resolved_case.product", resolved_on="resolved_case.resolved_on",
        ),
        say(
            "service_acknowledgement.resolved",
            number="resolved_case.number", resolved_on="resolved_case.resolved_on",
        ),
        say("answer.message", on="waiting.on"),
    ),
    row(say("common.sorry", carried=("upset.on",)), say("common.sorry", carried=("bad_ticket.number",))),
    row(say("passage.solution", "claim", article="article.text")),
    row(
        say(
            "service_acknowledgement.owner_update", "claim",
            owner="open_case.owner_name", at="open_case.next_update_at",
        ),
        say("service_acknowledgement.owner", "claim", owner="open_case.owner_name"),
        say("service_acknowledgement.update", "claim", at="open_case.next_update_at"),
        say("service_acknowledgement.reopen", "claim", owner="resolved_case.owner_name"),
    ),
    row(say("service_reply.past", "claim", number="past_ticket.number", opened_on="past_ticket.opened_on")),
    row(
        say("service_reply.ask", "ask", carried=("article.text",)),
        say("service_acknowledgement.ask_solved", "ask", carried=("resolved_case.number",)),
        say("service_acknowledgement.ask_owner", "ask", owner="open_case.owner_name"),
        say("service_acknowledgement.ask", "ask"),
    ),
    row(say("service_reply.next", "close", carried=("article.text",))),
)  # fmt: skip

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
