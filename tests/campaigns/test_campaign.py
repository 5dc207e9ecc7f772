"""From a segment and a goal to a message for each recipient."""

from __future__ import annotations

import pytest

from crmplugin.errors import AccessDenied, StateConflict, UsageError
from crmplugin.journeys import campaign_run, campaigns
from crmplugin.journeys.campaign_export import export_campaign
from crmplugin.journeys.campaign_view import campaign_json
from crmplugin.store.access import Principal
from crmplugin.writing.master import role_of
from tests.campaigns.conftest import GRANTED, MARKETER, PRODUCTS, days_ago, make_wish, make_world, rows, run_here
from tests.web.conftest import documents


def test_every_recipient_gets_a_message_of_the_same_words_and_their_own_facts(open_desk):
    desk = open_desk(make_world(6))

    done = run_here(desk, make_wish())

    bodies = [row.document["body"] for row in rows(desk, done, "drafted")]
    assert done.status == "done"
    assert len(bodies) == 6
    assert len(set(bodies)) == 6
    asks = [s["text"] for row in rows(desk, done) for s in row.document["sentences"] if s["role"] == "ask"]
    for name in PRODUCTS:
        asks = [ask.replace(name, "…") for ask in asks]
    assert len(asks) == 6
    assert len(set(asks)) == 1  # one approved wording


def test_every_sentence_of_a_message_is_carried_by_facts_that_stand_beside_it(open_desk):
    desk = open_desk(make_world(3))

    done = run_here(desk, make_wish())

    for row in rows(desk, done, "drafted"):
        facts = {fact["id"] for fact in row.document["facts"]}
        for sentence in row.document["sentences"]:
            assert sentence["verdict"] in ("supported", "rendered")
            assert set(sentence["evidence"]) <= facts


def test_who_has_no_fact_of_their_own_is_left_out_with_the_reason(open_desk):
    world = make_world(3)
    world["orders"] = [order for order in world["orders"] if order["company_id"] != "CO-2"]
    desk = open_desk(world)

    done = run_here(desk, make_wish(segment={}))

    assert [(r.contact, r.reason) for r in rows(desk, done, "excluded")] == [("C-2", "missing_facts")]


CONSENT = {
    "withdrawn": ({"consent": {"email": {"state": "withdrawn", "at": "2026-01-01T00:00:00Z"}}}, "opted_out:email"),
    "unknown": ({"consent": {"email": {"state": "unknown"}}}, "no_consent:email"),
    "none": ({"consent": {}}, "no_consent:email"),
    "bounced": ({"status": "bounced"}, "unreachable"),
    "left": ({"status": "left"}, "unreachable"),
    "inactive": ({"status": "inactive"}, "unreachable"),
    "no address": ({"email": None}, "unreachable"),
    "held": ({"legal_hold": "dispute"}, "legal_hold"),
}


@pytest.mark.parametrize(("change", "reason"), CONSENT.values(), ids=list(CONSENT))
def test_who_must_not_be_written_to_is_counted_and_gets_nothing(open_desk, change, reason):
    world = make_world(3)
    world["contacts"][1] |= change
    desk = open_desk(world)

    made = campaigns.create_campaign(desk, make_wish(), MARKETER)
    found = campaigns.preview_campaign(desk, made.id)
    done = run_here(desk, make_wish())

    assert found["channels"]["email"]["removed"] == {reason: 1}
    assert [row.contact for row in rows(desk, done)] == ["C-1", "C-3"]


def test_an_opt_out_of_one_person_leaves_a_colleague_alone(open_desk):
    world = make_world(2)
    stop = {"email": {"state": "withdrawn", "at": "2026-01-01T00:00:00Z"}}
    colleague = {"id": "C-9", "company_id": "CO-1", "first_name": "Lou", "email": "lou@works1.example"}
    world["contacts"] += [colleague | {"consent": stop}]
    desk = open_desk(world)

    done = run_here(desk, make_wish())

    assert [row.contact for row in rows(desk, done)] == ["C-1", "C-2"]


def test_two_records_of_one_address_get_one_message(open_desk):
    world = make_world(2)
    twin = {"id": "C-9", "company_id": "CO-1", "first_name": "Kim", "email": "KIM1@works1.example", "consent": GRANTED}
    world["contacts"] += [twin]
    desk = open_desk(world)

    done = run_here(desk, make_wish())

    states = [(row.contact, row.state, row.reason) for row in rows(desk, done)]
    assert states == [("C-1", "drafted", None), ("C-2", "drafted", None), ("C-9", "excluded", "same_address")]


def test_holdout_and_variants_are_the_same_on_every_run_and_by_account(open_desk):
    desk = open_desk(make_world(200))
    made = campaigns.create_campaign(desk, make_wish(variants=2, holdout_pct=25), MARKETER)

    once = campaign_run.choose_recipients(desk, made)
    again = campaign_run.choose_recipients(desk, made)

    assert [(r.contact, r.variant, r.state) for r in once] == [(r.contact, r.variant, r.state) for r in again]
    held = sum(r.state == "held_out" for r in once)
    assert 30 <= held <= 70
    sizes = [sum(r.variant == name for r in once) for name in "AB"]
    assert min(sizes) >= 50


def test_variants_differ_in_one_named_property(open_desk):
    desk = open_desk(make_world(2))

    made = campaigns.create_campaign(desk, make_wish(variants=3), MARKETER)

    first, second, third = made.masters
    changed = {key for key in first.patterns if first.patterns[key] != second.patterns[key]}
    assert (second.changed, third.changed) == ("subject", "ask")
    assert changed
    assert all("subject" in key for key in changed)


def test_no_valid_test_is_said_when_the_segment_is_too_small(open_desk):
    desk = open_desk(make_world(12))
    made = campaigns.create_campaign(desk, make_wish(variants=2), MARKETER)

    plan = campaigns.preview_campaign(desk, made.id)["plan"]

    assert plan["needed_per_arm"] == 2210
    assert plan["valid_test"] is False
    assert plan["advice"].startswith("No valid A/B test")


WRONG = {
    "unknown key": ({"colour": "red"}, "colour: unknown"),
    "no segment": ({"segment": None}, "segment_id: name a saved segment"),
    "unknown part of a predicate": ({"segment": {"star_sign": "leo"}}, "segment"),
    "channel": ({"channels": ["fax"]}, "channels: expected a list of"),
    "mode": ({"mode": "magic"}, "mode: expected merge or personal"),
    "variants": ({"variants": 9}, "variants: expected a whole number from 1 to 4"),
    "holdout": ({"holdout_pct": "ten"}, "holdout_pct: expected a whole number"),
    "goal": ({"goal": ""}, "goal: expected one of"),
    "connection": ({"connection": "nowhere"}, "connection: no connection 'nowhere'"),
    "language": ({"languages": ["xx"]}, "languages: expected a list of"),
}


@pytest.mark.parametrize(("change", "said"), WRONG.values(), ids=list(WRONG))
def test_a_wrong_wish_is_refused_by_the_name_of_its_field(open_desk, change, said):
    desk = open_desk(make_world(1))

    with pytest.raises(UsageError, match=said):
        campaigns.create_campaign(desk, make_wish(**change), MARKETER)

    assert desk.campaigns.list().items == ()


def test_only_those_who_may_let_a_campaign_out_approve_it(open_desk):
    desk = open_desk(make_world(1))
    made = campaigns.create_campaign(desk, make_wish(), MARKETER)

    with pytest.raises(AccessDenied, match="a rep may not approve"):
        campaigns.approve_campaign(desk, made.id, Principal("jo", "rep"))


def test_a_campaign_that_is_not_approved_does_not_run(open_desk):
    desk = open_desk(make_world(1))
    made = campaigns.create_campaign(desk, make_wish(), MARKETER)

    with pytest.raises(StateConflict, match="only an approved one"):
        campaign_run.start_campaign(desk, made.id, MARKETER)


def test_other_words_take_the_approval_back(open_desk):
    desk = open_desk(make_world(2))
    made = campaigns.create_campaign(desk, make_wish(), MARKETER)
    approved = campaigns.approve_campaign(desk, made.id, MARKETER)
    words = {"win_back.contact": "A short reply is enough."}
    change = {"language": "en", "channel": "email", "variant": "A", "patterns": words}

    edited = campaigns.edit_campaign(desk, made.id, MARKETER, version=approved.version, masters=[change])

    assert edited.status == "created"
    assert edited.masters[0].patterns["win_back.contact"] == "A short reply is enough."


PATTERNS = {
    "a lost slot": ("win_back.ask", "Still interested?", "use exactly {product}"),
    "a slot of its own": ("win_back.contact", "Ring {phone}.", "use exactly no slot"),
    "a number": ("win_back.contact", "You get 20 percent off.", "leave numbers"),
    "a link": ("win_back.contact", "See www.example.com today.", "leave numbers, links"),
    "a sentence of nobody": ("win_back.bribe", "Here.", "is no sentence of this campaign"),
}


@pytest.mark.parametrize(("key", "text", "said"), PATTERNS.values(), ids=list(PATTERNS))
def test_words_that_break_their_slots_are_refused(open_desk, key, text, said):
    desk = open_desk(make_world(1))
    made = campaigns.create_campaign(desk, make_wish(), MARKETER)
    change = {"language": "en", "channel": "email", "variant": "A", "patterns": {key: text}}

    with pytest.raises(UsageError, match=said.replace("{", r"\{").replace("}", r"\}")):
        campaigns.edit_campaign(desk, made.id, MARKETER, version=1, masters=[change])


def test_a_false_sentence_put_into_the_words_is_in_no_message(open_desk):
    desk = open_desk(make_world(3))
    made = campaigns.create_campaign(desk, make_wish(), MARKETER)
    lie = {"win_back.contact": "We guarantee the best price of all suppliers."}
    change = {"language": "en", "channel": "email", "variant": "A", "patterns": lie}
    campaigns.edit_campaign(desk, made.id, MARKETER, version=1, masters=[change])
    campaigns.approve_campaign(desk, made.id, MARKETER)
    started = campaign_run.start_campaign(desk, made.id, MARKETER)
    for lane in range(2):
        campaign_run.run_lane(desk, made.id, run=started.run, lane=lane)

    texts = [row.document["body"] for row in rows(desk, started, "drafted")]

    assert texts
    assert not any("guarantee" in text for text in texts)


def test_only_what_is_paused_is_resumed(open_desk):
    desk = open_desk(make_world(2))
    made = campaigns.create_campaign(desk, make_wish(), MARKETER)
    campaigns.approve_campaign(desk, made.id, MARKETER)

    with pytest.raises(StateConflict, match="only a paused one can be resumed"):
        campaign_run.resume_campaign(desk, made.id, MARKETER)
    assert campaigns.get_campaign(desk, made.id).status == "approved"


def test_pause_and_resume_lose_nobody_and_double_nobody(open_desk):
    desk = open_desk(make_world(50))
    made = campaigns.create_campaign(desk, make_wish(), MARKETER)
    campaigns.approve_campaign(desk, made.id, MARKETER)
    first = campaign_run.start_campaign(desk, made.id, MARKETER)

    def pause_once(n: int) -> None:
        if campaigns.get_campaign(desk, made.id).status == "running":
            campaign_run.pause_campaign(desk, made.id, MARKETER)

    campaign_run.run_lane(desk, made.id, run=first.run, lane=0, tell=pause_once)
    paused = campaigns.get_campaign(desk, made.id)
    resumed = campaign_run.resume_campaign(desk, made.id, MARKETER)
    stale = campaign_run.run_lane(desk, made.id, run=first.run, lane=0)
    for lane in range(2):
        campaign_run.run_lane(desk, made.id, run=resumed.run, lane=lane)

    assert paused.status == "paused"
    assert stale == "running"  # work of an earlier run ends by itself
    assert len(rows(desk, made, "drafted")) == 50
    assert campaign_run.progress_of(desk, campaigns.get_campaign(desk, made.id))["settled"] == 50


def test_results_count_replies_and_orders_after_the_message_left(open_desk):
    desk = open_desk(make_world(4))
    done = run_here(desk, make_wish())
    export_campaign(desk, done.id, MARKETER)
    later = days_ago(-1)
    reply = {"id": "A-1", "type": "email", "direction": "inbound", "at": later, "company_id": "CO-1",
             "contact_ids": ["C-1"], "body": "Yes please."}  # fmt: skip
    away = reply | {"id": "A-2", "company_id": "CO-2", "contact_ids": ["C-2"], "automatic": True}
    order = {"id": "O-new", "company_id": "CO-3", "ordered_at": later, "currency": "GBP", "total": "10.00",
             "lines": [{"product_id": "P-0", "quantity": 1, "unit_price": "10.00"}]}  # fmt: skip
    desk.records.upsert_many("local", documents({"activities": [reply, away], "orders": [order]}))

    results = campaign_json(desk, campaigns.get_campaign(desk, done.id))["results"]

    assert results["arms"]["A"] == {"accounts": 4, "replies": 1, "meetings": 0, "orders": 1}


def answered(desk, done, variant, most):
    """Replies of so many accounts that got one variant, after the messages left."""
    wrote = [row for row in rows(desk, done) if row.variant == variant][:most]
    replies = [
        {"id": f"R-{row.contact}", "type": "email", "direction": "inbound", "at": days_ago(-1),
         "company_id": row.company, "contact_ids": [row.contact], "body": "Yes please."}
        for row in wrote
    ]  # fmt: skip
    desk.records.upsert_many("local", documents({"activities": replies}))


@pytest.mark.parametrize("answers", [0, 20])
def test_words_that_did_better_begin_the_next_campaign_of_the_same_goal(open_desk, answers):
    desk = open_desk(make_world(60))
    done = run_here(desk, make_wish(variants=2))
    export_campaign(desk, done.id, MARKETER)
    answered(desk, done, "B", answers)

    after = campaigns.create_campaign(desk, make_wish(variants=2), MARKETER)
    other = campaigns.create_campaign(desk, make_wish(variants=2, goal="replenishment"), MARKETER)

    old, new = ({m.variant: m.patterns for m in c.masters} for c in (done, after))
    assert other.learned is None
    if not answers:
        assert after.learned is None
        return
    assert (after.learned.campaign, after.learned.variant, after.learned.metric) == (done.id, "B", "replies")
    assert after.learned.interval[0] > 0
    assert new["A"] == old["B"]
    assert campaign_json(desk, after)["learned"]["changed"] == "subject"


def test_a_version_still_changes_only_its_property_against_learned_words(open_desk):
    desk = open_desk(make_world(60))
    done = run_here(desk, make_wish(variants=2))
    export_campaign(desk, done.id, MARKETER)
    answered(desk, done, "B", 20)

    after = campaigns.create_campaign(desk, make_wish(variants=2), MARKETER)

    a, b = (m.patterns for m in after.masters)
    assert {role_of(key) for key in a if a[key] != b[key]} <= {"subject"}


def test_a_script_without_a_fact_of_its_own_is_not_made(open_desk):
    world = make_world(3, consent={"phone": {"state": "granted"}}, phone="+44 20 7946 0000")
    world["orders"] = []
    desk = open_desk(world)
    wish = make_wish(segment={"region": ["GB"]}, goal="replenishment", channels=["phone"])

    with pytest.raises(StateConflict, match="missing_facts"):
        run_here(desk, wish)


def test_one_without_facts_at_the_head_of_a_segment_does_not_stop_the_others(open_desk):
    world = make_world(12)
    early = {f"CO-{n}" for n in (1, 10, 11, 12, 2)}
    world["orders"] = [order for order in world["orders"] if order["company_id"] not in early]

    done = run_here(open_desk(world), make_wish(segment={"region": ["GB"]}))

    assert done.status == "done"


def test_other_channels_say_nothing_that_the_mail_does_not(open_desk):
    everywhere = {channel: {"state": "granted"} for channel in ("email", "phone", "sms", "social")}
    channels = [*everywhere, "letter", "chat"]
    world = make_world(4, consent=everywhere)
    for n, contact in enumerate(world["contacts"]):
        contact["phone"] = f"+44 20 7946 000{n}"
        world["companies"][n]["postal_address"] = f"{n} Mill Lane, Leeds"
    desk = open_desk(world)

    done = run_here(desk, make_wish(channels=channels))

    told = {(row.contact, row.channel): facts_told(row) for row in rows(desk, done, "drafted")}
    mails = {contact: facts for (contact, channel), facts in told.items() if channel == "email"}
    assert len(told) == 4 * len(channels)
    assert all(facts for facts in told.values())
    assert all(facts <= mails[contact] for (contact, _), facts in told.items())


def facts_told(row):
    """Ids and values of the facts that a message tells beside who writes to whom."""
    values = {fact["id"]: fact["value"] for fact in row.document["facts"]}
    said = [s for s in row.document["sentences"] if s["role"] in ("context", "claim")]
    return {(id_, values[id_]) for s in said for id_ in s["evidence"]}
