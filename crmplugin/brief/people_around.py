"""Everything around an account that names a person, the customer or where they live: what a model must not see."""

from __future__ import annotations

from collections.abc import Iterator

from crmplugin.domain.crm import Context

LEGAL_FORMS = frozenset(
    """gmbh ag kg ohg ug eg ab as oy ltd ltd. limited inc inc. llc plc corp corp. sa s.a. sl s.l. sarl sas bv b.v. nv
    srl s.r.l. spa s.p.a. lda co co. & und and sp. z o.o.""".split()  # noqa: SIM905, a list of words is easier to read
)
SHORTEST = 3
"""Parts of a name below this many letters stand in too many words."""


def private_texts(context: Context) -> tuple[str, ...]:
    """Names (whole and in parts), addresses and numbers of contacts, colleagues and the company; longest first."""
    found = {text.strip() for text in (*_people(context), *_company(context)) if text and len(text.strip()) > 1}
    return tuple(sorted(found, key=lambda text: (-len(text), text)))


def _people(context: Context) -> Iterator[str | None]:
    own = (context.contact,) if context.contact else ()
    for person in {c.id: c for c in (*own, *context.contacts)}.values():
        yield from _name(person.first_name, person.last_name)
        yield from (person.email, person.phone, person.postal_address)
    for user in context.users:
        yield from _name(*(user.name or "").rsplit(" ", 1))
        yield from (user.email, user.phone)
    for ticket in context.tickets:
        yield from _name(*(ticket.owner_name or "").rsplit(" ", 1))


def _name(*parts: str | None) -> Iterator[str]:
    """The whole name, its parts, and the surname with an initial."""
    known = [part for part in parts if part]
    yield " ".join(known)
    words = [word.strip(",.") for part in known for word in part.split()]
    yield from (word for word in words if len(word) >= SHORTEST)
    if len(words) > 1:
        yield f"{words[0][0]}. {words[-1]}"
        yield f"{words[-1]}, {words[0]}"


def _company(context: Context) -> Iterator[str | None]:
    company = context.company
    for name in (company.name, *company.aliases) if company else ():
        yield name
        yield " ".join(word for word in (name or "").split() if word.casefold() not in LEGAL_FORMS)
    if company:
        yield from (company.postal_address, company.domain)
