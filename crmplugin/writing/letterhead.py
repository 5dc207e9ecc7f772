"""The head of a letter: who it goes to, where, and the day it is written for, each a line."""

from __future__ import annotations

import re

from babel import Locale
from babel.dates import format_date

from crmplugin.domain.brief import Brief, Recipient
from crmplugin.writing.greeting import words_of

_FIRST = re.compile(r"^1(?= )")
"""The first of a month, which French writes as an ordinal."""


def letterhead(brief: Brief) -> tuple[str, ...]:
    """Name, company and address of the recipient, then the date; nothing without an address to send it to."""
    to = brief.recipient
    return (*_lines(to), _date(brief)) if to and to.address else ()


def _lines(to: Recipient) -> tuple[str, ...]:
    """Each once: an address that already begins with a name does not get it again."""
    address = [part.strip() for part in re.split(r"[\n,]", to.address or "") if part.strip()]
    named = [line for line in (to.display_name, to.company_name) if line and line not in address]
    return (*named, *address)


def _date(brief: Brief) -> str:
    """The day of sending in the long form of the recipient's locale."""
    shown = format_date(brief.send_on, "long", locale=Locale.parse(brief.locale.replace("-", "_")))
    if brief.language == "fr":
        shown = _FIRST.sub("1er", shown)
    return str(words_of(brief.language).get("letter_date", "{date}")).format(date=shown)
