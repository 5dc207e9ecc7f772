"""Who is written to, how, in which language and on whose clock."""

import pytest

from crmplugin.brief.recipient import (
    choose_channel,
    choose_language,
    choose_recipient,
    language_choice,
    language_code,
    locale_of,
    zone_of,
)
from crmplugin.domain.crm import Subject
from crmplugin.errors import UsageError
from tests.builders import (
    at,
    make_account_context,
    make_activity,
    make_company,
    make_contact,
    make_context,
    make_deal,
    make_inbound,
    make_meeting,
    make_outbound,
    make_request,
    make_seller,
    make_ticket,
    make_user,
)

DANA = make_contact()
ERIK = make_contact("C-2", first_name="Erik", last_name="Lund", email="erik.lund@orbis.example", phone=None)
IDA = make_contact("C-3", first_name="Ida", last_name="Lund", email="ida.lund@orbis.example", phone=None)


def chosen(context, **request):
    found = choose_recipient(context, make_request(**request))
    return found.id if found else None


def test_the_contact_asked_for_is_the_recipient():
    assert chosen(make_context(contacts=(DANA, ERIK)), to_contact_id="C-2") == "C-2"


def test_a_contact_of_another_account_is_refused_by_id():
    stranger = make_contact("C-9", company_id="CO-9")

    with pytest.raises(UsageError, match="C-9"):
        chosen(make_context(namesakes=(stranger,)), to_contact_id="C-9")


def test_a_contact_asked_for_is_kept_although_they_cannot_be_reached():
    gone = make_contact("C-2", status="left")

    assert chosen(make_context(contacts=(DANA, gone)), to_contact_id="C-2") == "C-2"


def test_the_deals_primary_contact_goes_before_who_wrote_last():
    context = make_context(
        make_inbound(contact_ids=("C-2",)),
        make_outbound(contact_ids=("C-2",), day="2026-03-07"),
        contacts=(DANA, ERIK),
    )

    assert chosen(context) == "C-1"


def test_who_waits_for_our_answer_goes_before_the_primary_contact():
    context = make_context(make_inbound(body="What is the lead time?", contact_ids=("C-2",)), contacts=(DANA, ERIK))

    assert chosen(context) == "C-2"


def test_a_word_of_thanks_waits_for_nothing():
    context = make_context(make_inbound(body="Thanks Jonas, all clear!", contact_ids=("C-2",)), contacts=(DANA, ERIK))

    assert chosen(context) == "C-1"


def test_a_pitch_goes_to_the_primary_contact_whoever_wrote():
    context = make_context(make_inbound(contact_ids=("C-2",)), contacts=(DANA, ERIK))

    assert chosen(context, kind="pitch") == "C-1"


def test_a_recap_goes_to_somebody_who_was_there():
    context = make_context(make_meeting(contact_ids=("C-2",)), contacts=(DANA, ERIK))

    assert chosen(context) == "C-2"


def test_the_primary_contact_is_written_to_when_present_at_the_meeting():
    context = make_context(make_meeting(contact_ids=("C-2", "C-1")), contacts=(DANA, ERIK))

    assert chosen(context) == "C-1"


def test_a_primary_contact_who_left_stays_for_the_gate_to_refuse():
    assert chosen(make_context(contacts=(make_contact(status="left"), ERIK))) == "C-1"


def test_without_a_primary_contact_the_last_writer_is_chosen():
    deal = make_deal(primary_contact_id=None, contact_ids=("C-1", "C-2"))
    context = make_context(
        make_inbound(contact_ids=("C-2",)), make_outbound(contact_ids=("C-2",), day="2026-03-07"),
        deal=deal, contacts=(DANA, ERIK),
    )  # fmt: skip

    assert chosen(context) == "C-2"


def test_without_any_sign_the_only_reachable_contact_is_chosen():
    gone = make_contact("C-2", status="left")
    deal = make_deal(primary_contact_id=None, contact_ids=())

    assert chosen(make_context(deal=deal, contacts=(gone, DANA))) == "C-1"


def test_nobody_is_guessed_among_several():
    deal = make_deal(primary_contact_id=None, contact_ids=())

    assert chosen(make_context(deal=deal, contacts=(DANA, ERIK, IDA))) is None


def test_somebody_who_left_is_not_picked_because_they_wrote_last():
    gone = make_contact("C-7", status="left")
    context = make_account_context(make_inbound(contact_ids=("C-7",), deal_id=None), contacts=(gone, DANA, ERIK))

    assert chosen(context, kind="pitch") is None


def test_an_account_with_one_open_deal_has_its_primary_contact():
    context = make_account_context(contacts=(ERIK, DANA), deals=(make_deal(),))

    assert chosen(context) == "C-1"


@pytest.mark.parametrize(
    ("subject", "more", "contact"),
    [
        (Subject("contact", "C-2"), {}, "C-2"),
        (Subject("ticket", "T-2201"), {"ticket": make_ticket(contact_id="C-2")}, "C-2"),
        (Subject("activity", "A-31"), {"activity": make_activity(contact_ids=("C-2",))}, "C-2"),
    ],
)
def test_a_record_with_a_contact_of_its_own_names_the_recipient(subject, more, contact):
    assert chosen(make_context(subject=subject, contacts=(DANA, ERIK), **more)) == contact


def test_what_is_said_tomorrow_chooses_nobody_today():
    context = make_context(make_inbound(day="2026-03-12", contact_ids=("C-2",)), contacts=(DANA, ERIK))

    assert chosen(context) == "C-1"


# Channel


@pytest.mark.parametrize(
    ("contact", "request_", "channel"),
    [
        (DANA, {}, "email"),
        (DANA, {"channel": "sms"}, "sms"),
        (make_contact(email=None), {}, "phone"),
        (make_contact(email="noreply@orbis.example"), {}, "phone"),
        (make_contact(email="n/a", phone=None), {}, "email"),
        (None, {}, "email"),
        (DANA, {"kind": "summary"}, "note"),
        (DANA, {"kind": "social_reply"}, "social"),
    ],
)
def test_channel_is_asked_for_or_follows_the_address(contact, request_, channel):
    assert choose_channel(make_context(), contact, make_request(**request_)) == channel


def test_a_chat_is_answered_in_the_chat():
    context = make_context(subject=Subject("activity", "A-31"), activity=make_activity(type="chat"))

    assert choose_channel(context, DANA, make_request("service_reply")) == "chat"


# Language


def language(contact=None, activities=(), company=None, user=None, **request):
    context = make_context(*activities, company=company or make_company(), users=(user or make_user(),))
    return choose_language(context, contact or make_contact(language=None), make_request(**request))[0]


GERMAN_MAIL = make_inbound(body="Wie lange ist die Lieferzeit für den FlowMeter 3000?")


def test_the_language_asked_for_goes_first():
    assert language(make_contact(language="en"), (GERMAN_MAIL,), language="de") == "de"


def test_the_contacts_language_goes_before_the_threads():
    assert language(make_contact(language="en"), (GERMAN_MAIL,)) == "en"


def test_the_threads_language_goes_before_the_owners():
    assert language(None, (GERMAN_MAIL,), user=make_user(language="en")) == "de"


def test_the_newest_inbound_text_is_the_thread():
    english = make_inbound("A-9", "2026-03-09", body="Could you please send the data sheet to us?")

    assert language(None, (GERMAN_MAIL, english), user=make_user(language="de")) == "en"


def test_our_own_mails_are_not_the_threads_language():
    ours = make_outbound(body="Anbei erhalten Sie das Angebot, über das wir gesprochen haben.")

    assert language(None, (ours,), user=make_user(language="en")) == "en"


def test_the_companys_language_goes_before_the_owners():
    assert language(None, company=make_company(language="de"), user=make_user(language="en")) == "de"


def test_the_owners_language_is_the_default():
    assert language(None, user=make_user(language="de")) == "de"


def test_without_any_language_it_is_english():
    assert language(None, user=make_user(language=None)) == "en"


def test_an_unsupported_language_falls_back_to_english_with_its_reason():
    context = make_context(users=(make_user(language="de"),))

    choice = language_choice(context, make_contact(language="pl"), make_request())

    assert (choice.language, choice.wanted) == ("en", "pl")
    assert choice.reason is not None
    assert "Polish" in choice.reason


def test_an_unsupported_wish_falls_back_to_the_contacts_language():
    choice = language_choice(make_context(), make_contact(language="de"), make_request(language="pl"))

    assert (choice.language, choice.wanted) == ("de", "pl")


def test_an_internal_kind_is_in_the_owners_language():
    context = make_context(users=(make_user(language="de"),))

    assert choose_language(context, make_contact(language="en"), make_request("summary"))[0] == "de"


@pytest.mark.parametrize(
    ("tag", "code"),
    [("de", "de"), ("de-CH", "de"), ("en_US", "en"), ("German", "de"), ("Deutsch", "de"), ("français", "fr"),
     ("", None), (None, None), ("Klingon", None)],
)  # fmt: skip
def test_a_language_is_a_tag_or_a_name(tag, code):
    assert language_code(tag) == code


@pytest.mark.parametrize(
    ("lang", "country", "locale"),
    [("de", "CH", "de_CH"), ("de", "DE", "de_DE"), ("de", None, "de_DE"), ("de", "FR", "de_DE"), ("en", "US", "en_US"),
     ("en", "GB", "en_GB"), ("en", "SE", "en_GB"), ("en", "CA", "en_GB"), ("en", None, "en_GB"), ("fr", "CH", "fr_CH"),
     ("es", "MX", "es_MX")],
)  # fmt: skip
def test_locale_of_language_and_country(lang, country, locale):
    assert locale_of(lang, country) == locale


def test_the_locale_is_of_the_contacts_country():
    context = make_context(company=make_company(country="DE"))

    assert choose_language(context, make_contact(language="de", country="CH"), make_request()) == ("de", "de_CH")


def test_a_country_inside_the_language_tag_is_the_locale():
    assert choose_language(make_context(), make_contact(language="en-US"), make_request()) == ("en", "en_US")


# Zone


@pytest.mark.parametrize(
    ("contact", "company", "zone"),
    [
        ({"timezone": "America/Chicago"}, {"timezone": "Europe/Paris"}, "America/Chicago"),
        ({}, {"timezone": "Europe/Paris"}, "Europe/Paris"),
        ({"timezone": "Mars/Base"}, {"timezone": "Europe/Paris"}, "Europe/Paris"),
        ({}, {"country": "GB"}, "Europe/London"),
        ({"country": "JP"}, {"country": "GB"}, "Asia/Tokyo"),
        ({}, {"country": None}, "Europe/Berlin"),
    ],
)
def test_the_zone_is_of_the_contact_the_company_the_country_or_ours(contact, company, zone):
    context = make_context(company=make_company(**company))

    assert zone_of(context, make_contact(**contact)) == zone


def test_without_any_zone_it_is_utc():
    context = make_context(company=None, seller=make_seller(timezone=None, country=None))

    assert zone_of(context, None) == "UTC"


def test_the_moment_of_a_request_is_its_as_of():
    context = make_context(make_inbound(contact_ids=("C-2",), body="When?"), contacts=(DANA, ERIK))

    assert chosen(context, as_of=at("2026-03-05")) == "C-1"


def test_the_only_contact_is_the_recipient_although_no_address_is_valid():
    nobody_else = make_contact(email=None, phone="20.16.10.16")
    context = make_account_context(contacts=(nobody_else,))
    gone = make_account_context(contacts=(make_contact(email=None, phone=None, status="left"),))

    assert chosen(context) == "C-1"
    assert chosen(gone) is None


def test_internal_notes_are_written_as_our_own_country_writes():
    context = make_context(company=make_company(country="US"), seller=make_seller(country="DE"), users=(make_user(),))

    assert choose_language(context, None, make_request(kind="summary", language="en")) == ("en", "en_GB")
    assert choose_language(context, None, make_request(kind="summary", language="de")) == ("de", "de_DE")
    assert choose_language(context, DANA, make_request(kind="pitch", language="en")) == ("en", "en_US")
