"""Who is written to, in which language, by which channel, on whose clock. Nobody is exchanged silently.

A contact that was asked for stays the recipient even when a gate will refuse them: the gate proposes others, a person
chooses.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from types import MappingProxyType

from babel import Locale
from babel.core import UnknownLocaleError
from babel.localedata import exists as locale_exists

from crmplugin.analysis.cadence import is_held, is_touch
from crmplugin.analysis.language import guess_language
from crmplugin.analysis.stages import is_open
from crmplugin.analysis.threads import meeting_to_recap, unanswered
from crmplugin.brief.addresses import is_silent_mailbox, normalise_email, normalise_phone
from crmplugin.brief.calendar import both_sides, country_code, country_zone, known_zone, seller_zone
from crmplugin.brief.view import activities_in_view, deal_contact_ids
from crmplugin.domain.brief import INTERNAL_KINDS, SERVICE_KINDS, DraftChannel, Request
from crmplugin.domain.crm import Activity, Contact, Context, User
from crmplugin.errors import UsageError

OUTPUT_LANGUAGES: tuple[str, ...] = ("en", "de", "fr", "es")
"""Languages we have words for. Whoever adds a language's sentence banks adds it here."""
FALLBACK_LANGUAGE = "en"
DEFAULT_LOCALES: Mapping[str, str] = MappingProxyType(
    {
        "en": "en_GB",
        "de": "de_DE",
        "fr": "fr_FR",
        "es": "es_ES",
        "it": "it_IT",
        "nl": "nl_NL",
        "pl": "pl_PL",
        "pt": "pt_PT",
    }
)
ONE_LOCALE: Mapping[str, frozenset[str]] = MappingProxyType({"en": frozenset({"US"})})
"""Languages written in their default locale everywhere but in these countries."""


@dataclass(frozen=True, slots=True)
class LanguageChoice:
    """The output language and locale. `wanted` and `reason` are set when somebody's language has no words yet."""

    language: str
    locale: str
    wanted: str | None = None
    reason: str | None = None


def choose_recipient(context: Context, request: Request) -> Contact | None:
    """The contact to write to; None when nobody can be named without guessing.

    First the one asked for, who must belong to the account (UsageError names the id if not). Then the record the draft
    is about: its contact, ticket or message. On a deal: who waits for our answer or sat in a meeting not yet recapped,
    then the primary contact, then the deal's only one. Last, among those who can be reached: who wrote last, then the
    only one there is; where nobody can be reached, the only one at all, whose gate says what is missing.
    """
    contacts = _account_contacts(context)
    if request.to_contact_id is not None:
        if request.to_contact_id not in contacts:
            raise UsageError(
                f"contact {request.to_contact_id} is not a contact of this account: name one of {_some(contacts)}"
            )
        return contacts[request.to_contact_id]
    now = request.as_of or context.read_at
    for rule in _RULES:
        found = contacts.get(rule(context, request, now) or "")
        if found is not None:
            return found
    present = [c for c in contacts.values() if not is_gone(c, now)]
    reachable = [c for c in present if can_be_reached(c, context, now)]
    only = reachable or present
    return only[0] if len(only) == 1 else None


def can_be_reached(contact: Contact, context: Context, now: datetime) -> bool:
    """Whether the person is still there and has a mail address or a number."""
    return not is_gone(contact, now) and bool(mail_address(contact) or phone_number(contact, context))


def is_gone(contact: Contact, now: datetime) -> bool:
    """Whether nobody is there any more: left, inactive, or mails come back."""
    return has_left(contact, now) or contact.status in ("inactive", "bounced")


def has_left(contact: Contact, now: datetime) -> bool:
    """Whether the person had left the company at `now`; a date of leaving goes before the status."""
    return contact.left_at <= now if contact.left_at else contact.status == "left"


def mail_address(contact: Contact) -> str | None:
    """The normalised address, if somebody reads it."""
    address = normalise_email(contact.email)
    return None if address is None or is_silent_mailbox(address) else address


def phone_number(contact: Contact, context: Context) -> str | None:
    """The number in E.164, read in the country of the contact, the company or the seller."""
    company = context.company.country if context.company else None
    return normalise_phone(contact.phone, contact.country or company or context.seller.country)


def choose_channel(context: Context, contact: Contact | None, request: Request) -> DraftChannel:
    """The channel asked for; else the one the kind or the customer's message has; else mail, or phone without one."""
    if request.channel is not None:
        return request.channel
    if request.kind in INTERNAL_KINDS:
        return "note"
    if request.kind == "social_reply":
        return "social"
    answered = _answer_channel(context.activity.type if context.activity else None)
    if answered and request.kind in SERVICE_KINDS | {"follow_up"}:
        return answered
    if contact is None or mail_address(contact) or not phone_number(contact, context):
        return "email"
    return "phone"


def choose_language(context: Context, contact: Contact | None, request: Request) -> tuple[str, str]:
    """Output language and locale: `language_choice` without its reasons."""
    choice = language_choice(context, contact, request)
    return choice.language, choice.locale


def language_choice(context: Context, contact: Contact | None, request: Request) -> LanguageChoice:
    """The first language of the ladder that we have words for, and the locale of the recipient's country.

    The ladder: asked for, the contact's, the thread's, the company's, the owner's; internal kinds: asked for, the
    owner's, with numbers and dates as our own country writes them. A customer whose language we cannot write gets
    English, not our rep's language.
    """
    tags = [tag for tag in _ladder(context, contact, request) if language_code(tag)]
    wanted = [code for tag in tags if (code := language_code(tag))]
    spoken = next((code for code in wanted if code in OUTPUT_LANGUAGES), None)
    if spoken is None:
        owner = None if wanted else language_code(_owner_language(context))
        spoken = owner if owner in OUTPUT_LANGUAGES else FALLBACK_LANGUAGE
    region = next((_region(tag) for tag in tags if language_code(tag) == spoken), None)
    place = context.seller.country if request.kind in INTERNAL_KINDS else _country(context, contact)
    locale = locale_of(spoken, region or place)
    if not wanted or wanted[0] == spoken:
        return LanguageChoice(spoken, locale)
    reason = f"there are no words in {_language_name(wanted[0])} yet: this is in {_language_name(spoken)}"
    return LanguageChoice(spoken, locale, wanted[0], reason)


def language_code(text: str | None) -> str | None:
    """ISO 639-1 of a language tag or name (`de-CH`, `German`, `Deutsch`); None for what is neither."""
    plain = (text or "").strip().casefold().replace("_", "-")
    head = plain.partition("-")[0]
    if len(head) == 2 and head.isalpha():
        return head
    return _languages_by_name().get(plain)


def _region(tag: str | None) -> str | None:
    """The country in a language tag: CH of `de-CH`."""
    parts = (tag or "").replace("_", "-").split("-")
    return country_code(parts[-1]) if len(parts) > 1 and len(parts[-1]) == 2 else None


def locale_of(language: str, country: str | None) -> str:
    """The locale that renders numbers and dates: `de` in CH is de_CH; English is en_US in the US, else en_GB."""
    code = country_code(country)
    only = ONE_LOCALE.get(language)
    if code and (only is None or code in only) and locale_exists(f"{language}_{code}"):
        return f"{language}_{code}"
    return DEFAULT_LOCALES.get(language, language)


def zone_of(context: Context, contact: Contact | None) -> str:
    """The recipient's IANA zone: contact, company, what their country keeps, else the seller's, else UTC."""
    company = context.company
    named = known_zone(contact.timezone if contact else None) or known_zone(company.timezone if company else None)
    return named or country_zone(_country(context, contact)) or seller_zone(context) or "UTC"


def owner_of(context: Context) -> User | None:
    """The rep responsible: the deal's owner, else the company's, else the only user there is."""
    users = {u.id: u for u in context.users}
    ids = (context.deal.owner_id if context.deal else None, context.company.owner_id if context.company else None)
    named = next((users[i] for i in ids if i in users), None)
    return named or (context.users[0] if len(context.users) == 1 else None)


def _account_contacts(context: Context) -> Mapping[str, Contact]:
    own = (context.contact,) if context.contact else ()
    return {c.id: c for c in (*own, *context.contacts)}


def _some(contacts: Iterable[str], limit: int = 8) -> str:
    ids = list(contacts)
    return ", ".join(ids[:limit]) + (" …" if len(ids) > limit else "") if ids else "none: it has no contacts"


def _subject_contact(context: Context, request: Request, now: datetime) -> str | None:
    match context.subject.type:
        case "contact":
            return context.subject.id
        case "ticket":
            return context.ticket.contact_id if context.ticket else None
        case "activity":
            return _first_known(context, context.activity.contact_ids) if context.activity else None
        case _:
            return None


def _waiting_contact(context: Context, request: Request, now: datetime) -> str | None:
    """Who wrote last on the deal (or account) and has no answer yet: only they can be answered."""
    if request.kind in INTERNAL_KINDS or request.kind in ("pitch", "campaign_message"):
        return None
    if request.type not in (None, "answer"):
        return None
    waiting = unanswered(activities_in_view(context), now)
    return _first_known(context, waiting[-1].contact_ids, prefer=_primary(context)) if waiting else None


def _meeting_contact(context: Context, request: Request, now: datetime) -> str | None:
    """Who sat in a meeting that waits for its recap: a recap to somebody absent would tell on others."""
    if request.kind != "follow_up" or request.type not in (None, "recap"):
        return None
    zone, countries = zone_of(context, None), both_sides(context, None)
    meeting = meeting_to_recap(activities_in_view(context), now=now, zone=zone, countries=countries)
    return _first_known(context, meeting.contact_ids, prefer=_primary(context)) if meeting else None


def _primary_contact(context: Context, request: Request, now: datetime) -> str | None:
    return _primary(context)


def _only_deals_contact(context: Context, request: Request, now: datetime) -> str | None:
    """Without a deal as subject: the primary contact of the account's only open deal."""
    deals = [d for d in context.deals if is_open(d, now)]
    if context.deal is not None or len(deals) != 1:
        return None
    return _reachable(context, deal_contact_ids(deals[0])[:1], now)


def _primary(context: Context) -> str | None:
    deal = context.deal
    if deal is None:
        return None
    return deal.primary_contact_id or (deal.contact_ids[0] if len(deal.contact_ids) == 1 else None)


def _last_writer(context: Context, request: Request, now: datetime) -> str | None:
    """Who of the deal, else of the account, wrote last or met us last, and can still be reached."""
    views = (activities_in_view(context), context.activities) if context.deal else (context.activities,)
    for view in views:
        spoke = [a for a in view if (a.direction == "inbound" and is_touch(a, now)) or is_held(a, now)]
        for activity in sorted(spoke, key=lambda a: a.at or now, reverse=True):
            if found := _reachable(context, activity.contact_ids, now):
                return found
    return None


def _reachable(context: Context, ids: Iterable[str], now: datetime) -> str | None:
    contacts = _account_contacts(context)
    return next((i for i in ids if i in contacts and can_be_reached(contacts[i], context, now)), None)


_RULES: tuple[Callable[[Context, Request, datetime], str | None], ...] = (
    _subject_contact,
    _waiting_contact,
    _meeting_contact,
    _primary_contact,
    _only_deals_contact,
    _last_writer,
)


def _first_known(context: Context, ids: Iterable[str], *, prefer: str | None = None) -> str | None:
    known = [i for i in ids if i in _account_contacts(context)]
    return prefer if prefer in known else next(iter(known), None)


def _answer_channel(type_: str | None) -> DraftChannel | None:
    return _ANSWERED_BY.get(type_ or "")


_ANSWERED_BY: Mapping[str, DraftChannel] = MappingProxyType(
    {"email": "email", "chat": "chat", "sms": "sms", "social": "social", "letter": "letter"}
)


def _ladder(context: Context, contact: Contact | None, request: Request) -> Iterator[str | None]:
    yield request.language
    if request.kind in INTERNAL_KINDS:
        yield _owner_language(context)
        return
    yield contact.language if contact else None
    yield _thread_language(context, contact)
    yield context.company.language if context.company else None


def _owner_language(context: Context) -> str | None:
    owner = owner_of(context)
    return owner.language if owner else None


def _thread_language(context: Context, contact: Contact | None) -> str | None:
    """The language of the newest inbound text that shows one: of the contact when there is one, else of the subject."""
    texts = [
        a
        for a in activities_in_view(context)
        if a.body and is_touch(a, context.read_at) and a.direction == "inbound" and _is_by(a, contact)
    ]
    texts.sort(key=lambda a: a.at or context.read_at, reverse=True)
    return next((code for a in texts if (code := guess_language(a.body))), None)


def _is_by(activity: Activity, contact: Contact | None) -> bool:
    return contact is None or not activity.contact_ids or contact.id in activity.contact_ids


def _country(context: Context, contact: Contact | None) -> str | None:
    own = country_code(contact.country if contact else None)
    return own or country_code(context.company.country if context.company else None)


def _language_name(code: str) -> str:
    try:
        return Locale(code).get_display_name("en") or code
    except UnknownLocaleError:
        return code


@cache
def _languages_by_name() -> Mapping[str, str]:
    names: dict[str, str] = {}
    for code in DEFAULT_LOCALES:
        for spelled in DEFAULT_LOCALES:
            names.setdefault(str(Locale(spelled).languages[code]).casefold(), code)
    return names
