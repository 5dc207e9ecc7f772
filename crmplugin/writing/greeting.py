"""The greeting and the sign-off: the ladder from a recorded salutation down to a plain hello.

Nothing is inferred: a salutation stands only when the CRM has one that this language uses, gender is never guessed
from a name, and a nickname is never made.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

from crmplugin.domain.brief import Recipient
from crmplugin.writing.tone import Sound

FALLBACK_LANGUAGE = "en"


@cache
def greeting_words() -> Mapping[str, Mapping[str, Any]]:
    """Greetings, sign-offs and labels by language."""
    return tomllib.loads((files("prompts") / "words" / "greetings.toml").read_text(encoding="utf-8"))


def words_of(language: str) -> Mapping[str, Any]:
    """The words of a language, of its base language (`de` for `de_AT`), or English ones."""
    words = greeting_words()
    return words.get(language) or words.get(language.split("_")[0].split("-")[0]) or words[FALLBACK_LANGUAGE]


def greet(recipient: Recipient | None, language: str, *, formal: bool) -> str:
    """The greeting line: salutation and surname, full name, given name, the company's team, or a plain hello."""
    words = words_of(language)
    to = recipient or Recipient(None, None, None)
    first, last, title = _clean(to.first_name), _clean(to.last_name), _salutation(to, words)
    form = words["formal" if formal else "informal"]
    if formal and title and last:
        return str(form["salutation"]).format(salutation=title, last=last)
    if not formal and first:
        return str(form["given"]).format(first=first)
    if full := " ".join(part for part in (first, last) if part) or _clean(to.display_name):
        return str(form["full"]).format(full=full)
    if company := _clean(to.company_name):
        return str(form["team"]).format(company=company)
    return str(form["plain"])


def is_stiff(language: str, sound: Sound) -> bool:
    """Whether a language with one form of address shows a formal sound by its greeting."""
    return sound.formality > 0 and bool(words_of(language).get("one_address"))


def sign_off(language: str, *, formal: bool, sound: Sound = Sound()) -> str:
    """The line before the name; a warm sound has a warmer one, a formal sound a more formal one."""
    forms = words_of(language)["formal" if formal else "informal"]
    wanted = "sign_off_warm" if sound.warmth > 0 else "sign_off_stiff" if sound.formality > 0 else "sign_off"
    return str(forms.get(wanted) or forms["sign_off"])


def after_greeting(text: str, language: str) -> str:
    """The first sentence as the language writes it after a greeting that ends in a comma.

    German goes on with a small letter, unless the word is one that is always written with a capital. Only words of a
    closed list are lowered, so that a name never is.
    """
    word, space, rest = text.partition(" ")
    return f"{word.lower()}{space}{rest}" if word in words_of(language).get("small_after_comma", ()) else text


def _salutation(recipient: Recipient, words: Mapping[str, Any]) -> str | None:
    """The recorded salutation as recorded, when it is one this language uses before a surname."""
    recorded = _clean(recipient.salutation)
    known = {str(word).casefold() for word in words["salutations"]}
    return recorded if recorded and all(part.casefold() in known for part in recorded.split()) else None


def _clean(value: str | None) -> str | None:
    text = " ".join((value or "").split())
    return text or None
