"""Each gate, on and off."""

from datetime import UTC, date, datetime, timedelta

import pytest

from crmplugin.brief.gates import blocking, cap_free_at, check_gates
from crmplugin.brief.recipient import zone_of
from crmplugin.brief.signals import read_signals
from crmplugin.brief.timing import next_allowed, send_time
from crmplugin.domain.crm import Subject
from crmplugin.ports import Population
from tests.builders import (
    NOW,
    at,
    consent,
    make_account_context,
    make_company,
    make_contact,
    make_context,
    make_contract,
    make_deal,
    make_inbound,
    make_meeting,
    make_order,
    make_outbound,
    make_request,
    make_ticket,
)


def gates(context, *, contact="C-1", kind="follow_up", type_="new_value", channel="email", now=NOW):
    found = next((c for c in (*context.contacts, *context.namesakes) if c.id == contact), None)
    zone = zone_of(context, found)
    signals = read_signals(context, Population(), now=now, zone=zone, recipient_id=contact)
    return check_gates(
        context, signals, make_request(kind), contact=found, channel=channel, kind=kind, type_=type_, now=now, zone=zone
    )


def codes(context, **more):
    return [g.code for g in gates(context, **more)]


def person(*activities, **changes):
    """A context whose only contact has these changes."""
    return make_context(*activities, contacts=(make_contact(**changes),))


def test_nothing_is_wrong_by_default():
    assert codes(make_context()) == []


# Opted out


def test_a_withdrawn_consent_forbids_promotion():
    (gate,) = gates(person(consent=consent("withdrawn", at=at("2026-01-14"))))

    assert gate.code == "opted_out:email"
    assert "2026-01-14" in gate.reason


@pytest.mark.parametrize("type_", ["service_acknowledgement", "answer", "deliver_promise", "recap"])
def test_a_service_text_may_be_written_after_an_opt_out(type_):
    assert codes(person(consent=consent("withdrawn")), type_=type_) == []


@pytest.mark.parametrize("kind", ["service_reply", "help_answer", "summary", "negotiation_note"])
def test_kinds_that_promote_nothing_pass_an_opt_out(kind):
    assert codes(person(consent=consent("withdrawn")), kind=kind, type_=None) == []


@pytest.mark.parametrize("kind", ["pitch", "campaign_message"])
def test_kinds_that_promote_do_not(kind):
    assert codes(person(consent=consent("withdrawn")), kind=kind, type_=None)[0] == "opted_out:email"


def test_an_opt_out_of_one_channel_is_not_one_of_another():
    contact = {"consent": consent("withdrawn", "sms") | consent("granted", "phone")}

    assert codes(person(**contact), channel="email") == []
    assert codes(person(**contact), channel="phone") == []
    assert codes(person(**contact), channel="sms") == ["opted_out:sms"]


@pytest.mark.parametrize(
    "duplicate",
    [
        {"email": "DANA.Reyes@Orbis.example"},
        {"email": "dana.reyes+news@orbis.example"},
        {"email": "Dana Reyes <dana.reyes@orbis.example>"},
    ],
)
@pytest.mark.parametrize("where", ["contacts", "namesakes"])
def test_an_opt_out_counts_for_every_record_of_the_address(duplicate, where):
    other = make_contact("C-9", consent=consent("withdrawn"), **duplicate)
    here = {"contacts": (make_contact(), other)} if where == "contacts" else {"namesakes": (other,)}

    (gate,) = gates(make_context(**here))

    assert gate.code == "opted_out:email"
    assert "C-1" in gate.reason
    assert "C-9" in gate.reason


def test_the_duplicate_without_the_flag_is_forbidden_too():
    flagged = make_contact(consent=consent("withdrawn"))
    duplicate = make_contact("C-9", first_name="D.", email="Dana.Reyes@ORBIS.example")

    (gate,) = gates(make_context(contacts=(flagged, duplicate)), contact="C-9")

    assert gate.code == "opted_out:email"
    assert "Dana Reyes (C-1) and D. Reyes (C-9)" in gate.reason


def test_a_namesake_with_another_address_is_another_person():
    other = make_contact("C-9", email="dana.reyes@elsewhere.example", consent=consent("withdrawn"))

    assert codes(make_context(contacts=(make_contact(), other))) == []


def test_a_do_not_call_entry_counts_for_the_number():
    other = make_contact("C-9", email="x@y.example", phone="0044 20 79460018", consent=consent("withdrawn", "phone"))
    mine = make_contact(phone="(020) 7946 0018", consent=consent("granted", "phone"))

    assert codes(make_context(contacts=(mine, other)), channel="phone") == ["opted_out:phone"]


# What may be done instead


def alternatives(context, **more):
    return [a for g in gates(context, **more) for a in g.alternatives]


def test_a_call_is_proposed_only_when_it_is_allowed():
    no, yes = consent("withdrawn"), consent("withdrawn") | consent("granted", "phone")

    assert [a["do"] for a in alternatives(person(consent=no))] == []
    assert [a["do"] for a in alternatives(person(consent=yes))] == ["phone_script"]
    assert [a["do"] for a in alternatives(person(consent=yes, phone=None))] == []


def test_another_contact_is_proposed_with_role_and_last_touch_for_a_choice():
    dana = make_contact(consent=consent("withdrawn"))
    erik = make_contact("C-4", first_name="Erik", last_name="Lund", email="erik@orbis.example", title="Procurement")
    talk = make_inbound(day="2026-02-20", contact_ids=("C-4",))

    assert alternatives(make_context(talk, contacts=(dana, erik))) == [
        {
            "do": "write_to",
            "contact_id": "C-4",
            "name": "Erik Lund",
            "role": "Procurement",
            "last_touch": "2026-02-20",
            "needs": "choice",
        }
    ]


@pytest.mark.parametrize(
    "changes",
    [
        {"email": "Dana.Reyes@orbis.example"},
        {"email": "erik@orbis.example", "status": "left"},
        {"email": "erik@orbis.example", "status": "bounced"},
        {"email": "erik@orbis.example", "legal_hold": "dispute"},
        {"email": "erik@orbis.example", "consent": consent("withdrawn")},
        {"email": None},
    ],
    ids=["the same person", "left", "bounced", "legal hold", "opted out", "no address"],
)
def test_who_is_not_proposed(changes):
    other = make_contact("C-4", **changes)

    assert alternatives(make_context(contacts=(make_contact(consent=consent("withdrawn")), other))) == []


def test_a_contract_that_ends_allows_a_plain_notice_after_review():
    context = make_context(contacts=(make_contact(consent=consent("withdrawn")),), contracts=(make_contract(),))

    assert alternatives(context) == [
        {"do": "contractual_notice", "contract_id": "K-1", "ends_on": "2026-05-31", "needs": "human review"}
    ]


def test_a_contract_that_ends_in_two_years_needs_no_notice():
    contract = make_contract(ends_on=date(2028, 3, 1))
    context = make_context(contacts=(make_contact(consent=consent("withdrawn")),), contracts=(contract,))

    assert alternatives(context) == []


# Unreachable


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"status": "left"}, "left"),
        ({"left_at": at("2026-03-01")}, "left"),
        ({"status": "inactive"}, "inactive"),
        ({"status": "bounced"}, "bounces"),
        ({"email": None}, "valid"),
        ({"email": "dana.orbis.example"}, "valid"),
        ({"email": "no-reply@orbis.example"}, "valid"),
    ],
)
def test_who_cannot_be_written_to(changes, word):
    (gate,) = gates(person(**changes))

    assert gate.code == "unreachable"
    assert word in gate.reason


@pytest.mark.parametrize("changes", [{"status": None}, {"left_at": at("2026-04-01")}, {"email": "info@orbis.example"}])
def test_who_can(changes):
    assert codes(person(**changes)) == []


def test_service_texts_need_somebody_there_too():
    assert codes(person(status="left"), type_="answer") == ["unreachable"]


def test_a_bounced_address_can_still_be_called():
    assert codes(person(status="bounced", consent=consent("granted", "phone")), channel="phone") == []


def test_a_call_needs_a_number():
    assert codes(person(phone="ask Tom"), channel="phone", type_="answer") == ["unreachable"]


def test_a_letter_needs_a_postal_address():
    assert codes(make_context(), channel="letter") == ["unreachable"]
    assert codes(make_context(company=make_company(postal_address="1 Dock St")), channel="letter") == []


def test_our_newest_mail_that_bounced_makes_the_address_unreachable():
    bounce = make_outbound("A-1", "2026-03-05", bounced=True)

    assert codes(make_context(bounce)) == ["unreachable"]
    assert codes(make_context(bounce, make_inbound("A-2", "2026-03-06"))) == []


def test_without_a_recipient_all_contacts_are_proposed():
    (gate,) = gates(make_context(contacts=(make_contact(), make_contact("C-2", email="b@orbis.example"))), contact=None)

    assert gate.code == "unreachable"
    assert [a["contact_id"] for a in gate.alternatives] == ["C-1", "C-2"]


@pytest.mark.parametrize("kind", ["social_reply", "help_answer"])
def test_somebody_unknown_may_be_answered_in_public(kind):
    assert codes(make_context(), contact=None, kind=kind, type_=None, channel="social") == []


def test_a_visitor_of_the_chat_may_be_answered_there():
    assert codes(make_context(), contact=None, type_="answer", channel="chat") == []


# Legal hold


@pytest.mark.parametrize("kind", ["follow_up", "pitch", "service_reply", "summary", "negotiation_note"])
def test_a_legal_hold_of_the_company_forbids_everything(kind):
    context = make_context(company=make_company(legal_hold="sanctions"))

    assert "legal_hold" in codes(context, kind=kind, type_=None)


@pytest.mark.parametrize("duplicate", [False, True])
def test_a_legal_hold_of_the_person_forbids_everything(duplicate):
    held = make_contact("C-9" if duplicate else "C-1", legal_hold="deceased")
    contacts = (make_contact(), held) if duplicate else (held,)

    assert codes(make_context(contacts=contacts), type_="answer") == ["legal_hold"]


@pytest.mark.parametrize("value", ["", "none", "No", "-", None])
def test_an_empty_legal_hold_is_none(value):
    assert codes(make_context(company=make_company(legal_hold=value))) == []


def test_the_hold_of_a_colleague_is_not_the_recipients():
    colleague = make_contact("C-2", email="b@orbis.example", legal_hold="dispute")

    assert codes(make_context(contacts=(make_contact(), colleague))) == []


# Sell hold


@pytest.mark.parametrize("type_", ["renewal", "quote_follow_up", "win_back", "check_in"])
def test_a_severe_ticket_forbids_promotion(type_):
    (gate,) = gates(make_context(tickets=(make_ticket(),)), type_=type_)

    assert gate.code == "sell_hold"
    assert "T-2201" in gate.reason


@pytest.mark.parametrize("type_", ["service_acknowledgement", "answer", "recap"])
def test_a_severe_ticket_allows_service(type_):
    assert codes(make_context(tickets=(make_ticket(),)), type_=type_) == []


def test_a_light_ticket_is_no_sell_hold():
    assert codes(make_context(tickets=(make_ticket(priority="P3"),))) == []


# Permission


NO_DEAL = {"deals": (), "contacts": (make_contact(),)}


@pytest.mark.parametrize(
    ("more", "free"),
    [
        ({}, False),
        ({"contacts": (make_contact(consent=consent("granted")),)}, True),
        ({"contacts": (make_contact(consent=consent("unknown")),)}, False),
        ({"orders": (make_order(ordered_at=at("2024-03-11", "11:00")),)}, True),
        ({"orders": (make_order(ordered_at=at("2024-03-11", "10:59")),)}, False),
        ({"deals": (make_deal(),)}, True),
        ({"deals": (make_deal(status="lost", closed_at=at("2026-01-01")),)}, False),
        ({"deals": (make_deal(status="won", closed_at=at("2026-01-01")),)}, True),
        ({"contracts": (make_contract(),)}, True),
        ({"deals": (make_deal(contact_ids=("C-5",), primary_contact_id="C-5"),)}, False),
    ],
    ids=["stranger", "granted", "said unknown", "24 months", "a minute more", "open deal", "lost deal", "won deal",
         "contract", "a deal of others"],
)  # fmt: skip
def test_who_may_get_a_one_to_one_mail_without_a_recorded_yes(more, free):
    context = make_account_context(**(NO_DEAL | more))

    assert codes(context) == ([] if free else ["no_consent:email"])


def test_a_campaign_needs_a_recorded_yes_even_from_customers():
    context = make_context(orders=(make_order(),))

    assert codes(context, kind="campaign_message", type_=None) == ["no_consent:email"]


@pytest.mark.parametrize("channel", ["phone", "sms", "social"])
def test_other_channels_need_a_permission_of_their_own(channel):
    assert codes(make_context(), channel=channel) == [f"no_consent:{channel}"]
    assert codes(person(consent=consent("granted", channel)), channel=channel) == []
    assert codes(make_context(), channel=channel, type_="answer") == []


@pytest.mark.parametrize(
    ("country", "law"),
    [
        ("DE", "EU GDPR"),
        ("GB", "UK PECR"),
        ("US", "CAN-SPAM"),
        ("CA", "CASL"),
        ("JP", "strictest"),
        (None, "strictest"),
    ],
)
def test_the_reason_names_the_law_of_the_recipients_country(country, law):
    context = make_account_context(company=make_company(country=country), **NO_DEAL)

    assert law in gates(context)[0].reason


# Caps


def sent(*days, **changes):
    """Bulk mails to Dana at noon UTC of these days."""
    return tuple(
        make_outbound(f"M-{n}", at=at(day, "11:00"), deal_id=None, **({"source": "campaign"} | changes))
        for n, day in enumerate(days)
    )


def cap(*activities, now=NOW, kind="pitch", **changes):
    context = make_account_context(*activities, **({"orders": (make_order(),), "deals": ()} | changes))
    return [g for g in gates(context, kind=kind, type_=None, now=now) if g.code == "cap"]


@pytest.mark.parametrize(
    ("days", "hit"),
    [
        ((), False),
        (("2026-03-08",), False),
        (("2026-03-09",), True),
        (("2026-03-05", "2026-03-08"), True),
        (("2026-03-04", "2026-03-08"), False),
        (("2026-02-10", "2026-02-14", "2026-02-20", "2026-03-01"), True),
        (("2026-02-09", "2026-02-14", "2026-02-20", "2026-03-01"), False),
    ],
    ids=["none", "72 hours", "48 hours", "two in 7 days", "two in 7 days and a bit", "four in 30 days", "30 days past"],
)
def test_caps_at_their_borders(days, hit):
    assert bool(cap(*sent(*days))) is hit


def test_the_cap_tells_when_it_ends():
    (gate,) = cap(*sent("2026-03-05", "2026-03-09"))

    assert gate.alternatives == ({"do": "wait", "earliest": "2026-03-12"},)


def test_caps_count_over_all_channels():
    assert cap(*sent("2026-03-10", type="sms"))


def test_mails_of_a_person_nobody_asked_for_count_too():
    assert cap(*sent("2026-03-10", source=None))


def test_answers_do_not_count():
    asked = make_inbound("A-1", "2026-03-09", deal_id=None, thread_id="TH-1")

    assert not cap(asked, *sent("2026-03-10", source=None, thread_id="TH-1"))


def test_mails_to_others_do_not_count():
    assert not cap(*sent("2026-03-10", contact_ids=("C-2",)))


def test_a_follow_up_has_no_cap():
    assert not cap(*sent("2026-03-10"), kind="follow_up")


def test_nothing_is_promoted_during_a_negotiation():
    (gate,) = cap(deals=(make_deal(stage_kind="negotiation"),))

    assert "D-1" in gate.reason


def test_a_negotiation_that_is_over_is_no_cap():
    assert not cap(deals=(make_deal(stage_kind="negotiation", status="lost", closed_at=at("2026-02-01")),))


def test_the_free_moment_is_the_latest_of_all_rules():
    times = tuple(NOW - timedelta(days=d) for d in (29, 20, 6, 4))

    assert cap_free_at(times, NOW) == NOW + timedelta(days=1)


# Quiet hours


def local(hour, minute=0, day="2026-03-11"):
    """An instant by London's clock, which is UTC until 29 March."""
    return at(day, f"{hour:02d}:{minute:02d}")


@pytest.mark.parametrize(
    ("channel", "hour", "minute", "quiet"),
    [
        ("phone", 7, 59, True), ("phone", 8, 0, False), ("phone", 17, 59, False), ("phone", 18, 0, True),
        ("sms", 8, 59, True), ("sms", 9, 0, False), ("sms", 19, 59, False), ("sms", 20, 0, True),
        ("social", 20, 0, True), ("email", 3, 0, False), ("chat", 3, 0, False),
    ],
)  # fmt: skip
def test_hours_of_the_channels(channel, hour, minute, quiet):
    found = codes(make_context(), channel=channel, type_="answer", now=local(hour, minute))

    assert found == (["quiet_hours"] if quiet else [])


def test_quiet_hours_move_the_time_and_block_nothing():
    found = gates(make_context(), channel="phone", type_="answer", now=local(19))

    assert blocking(found) == ()
    assert found[0].alternatives == ({"do": "send_later", "at": "2026-03-12T08:00:00+00:00"},)


def test_a_promotional_call_is_moved_to_a_business_day_and_a_service_call_is_not():
    friday_evening = local(19, day="2026-03-13")

    promoted = gates(make_context(), channel="phone", kind="pitch", type_=None, now=friday_evening)
    answered = gates(make_context(), channel="phone", type_="answer", now=friday_evening)

    moved = next(g for g in promoted if g.code == "quiet_hours")
    assert moved.alternatives == ({"do": "send_later", "at": "2026-03-16T08:00:00+00:00"},)
    assert moved.reason.startswith("Send it at 2026-03-16 08:00 (Europe/London): it is outside the hours for phone")
    assert answered[0].alternatives == ({"do": "send_later", "at": "2026-03-14T08:00:00+00:00"},)


def test_the_hours_are_the_recipients():
    context = make_context(company=make_company(country="US"))

    assert codes(context, channel="phone", type_="answer", now=at("2026-03-11", "13:00")) == []
    assert codes(context, channel="phone", type_="answer", now=at("2026-03-11", "11:00")) == ["quiet_hours"]


def test_the_morning_after_the_clocks_change_is_at_the_new_time():
    evening = datetime(2026, 3, 28, 20, 0, tzinfo=UTC)

    moment = next_allowed(evening, zone="Europe/Berlin", channel="phone")

    assert moment.isoformat() == "2026-03-29T08:00:00+02:00"


def test_promotion_waits_for_a_business_day_and_service_does_not():
    saturday = at("2026-03-14", "10:00")
    plan = {"zone": "Europe/London", "channel": "email", "countries": ("GB", "DE")}

    assert send_time(saturday, any_day=False, **plan).date() == date(2026, 3, 16)
    assert send_time(saturday, any_day=True, **plan).date() == date(2026, 3, 14)


def test_a_message_about_a_day_does_not_wait_beyond_it():
    saturday = at("2026-03-14", "10:00")
    plan = {"zone": "Europe/London", "channel": "email", "countries": ("GB", "DE"), "any_day": False}

    assert send_time(saturday, not_after=date(2026, 3, 15), **plan).date() == date(2026, 3, 14)
    assert send_time(saturday, not_after=date(2026, 3, 16), **plan).date() == date(2026, 3, 16)


# Stale data


@pytest.mark.parametrize(
    ("imported", "changed", "hit"),
    [
        (NOW - timedelta(days=7), None, False),
        (NOW - timedelta(days=7, seconds=1), None, True),
        (None, None, False),
        (NOW, NOW + timedelta(seconds=1), True),
        (NOW, NOW, False),
    ],
    ids=["7 days", "a second more", "unknown", "changed since", "unchanged"],
)
def test_stale_data(imported, changed, hit):
    context = make_context(crm="hubspot", imported_at=imported, changed_at=changed)

    assert codes(context) == (["stale_data"] if hit else [])


def test_the_local_crm_is_never_stale():
    context = make_context(imported_at=at("2020-01-01"), changed_at=NOW + timedelta(days=1))

    assert codes(context) == []


def test_internal_kinds_do_not_mind_stale_data():
    context = make_context(crm="hubspot", imported_at=at("2020-01-01"))

    assert codes(context, kind="summary", type_=None) == []


# Order


def test_all_hits_are_listed_in_the_order_of_the_table():
    context = make_context(
        crm="hubspot",
        imported_at=at("2020-01-01"),
        company=make_company(legal_hold="fraud"),
        contacts=(make_contact(status="left", consent=consent("withdrawn")),),
        tickets=(make_ticket(),),
        deal=make_deal(stage_kind="negotiation"),
    )

    assert codes(context, kind="pitch", type_=None) == [
        "opted_out:email", "unreachable", "legal_hold", "sell_hold", "cap", "stale_data",
    ]  # fmt: skip


def test_a_contact_subject_with_a_legal_hold_blocks_the_brief_of_a_meeting():
    held = make_contact(legal_hold="minor")
    context = make_context(make_meeting(), subject=Subject("contact", "C-1"), contact=held, contacts=(held,))

    assert codes(context, kind="meeting_brief", type_=None, contact=None) == ["legal_hold"]
