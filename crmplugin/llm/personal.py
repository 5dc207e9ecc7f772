"""Where personal data stands in a text: spans by rule, found by pattern and by the names a caller knows.

Rules: email, iban, card, vat, account (a number after a word such as "Kundennummer"), phone, address, name. Masking too
much costs nothing, for it is undone; masking too little cannot be undone. So patterns are wide.
"""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files
from typing import Any

import phonenumbers

EMAIL = re.compile(r"[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}")
IBAN = re.compile(r"\b[A-Za-z]{2}\d{2}(?:[ -]?[A-Za-z0-9]{4}){3,7}(?:[ -]?[A-Za-z0-9]{1,3})?\b")
CARD = re.compile(r"\b\d(?:[ -]?\d){12,18}\b")
VAT = re.compile(
    r"\b(?:DE ?\d{3} ?\d{3} ?\d{3}|ATU ?\d{8}|FR ?[A-HJ-NP-Z0-9]{2} ?\d{3} ?\d{3} ?\d{3}|GB ?\d{3} ?\d{4} ?\d{2}"
    r"|ES ?[A-Z]-?\d{7}[A-Z0-9]|ES ?\d{8}[A-Z]|IT ?\d{11}|NL ?\d{9} ?B ?\d{2}|PL ?\d{10}|PT ?\d{9}|BE ?[01]?\d{9}"
    r"|SE ?\d{12}|DK ?\d{8}|FI ?\d{8}|CZ ?\d{8,10}|CHE[- ]?\d{3}\.?\d{3}\.?\d{3})\b"
)
NATIONAL_PHONE = re.compile(r"(?<![\w.,:/-])\(?0\d{1,5}\)?[ /-]?\d[\d /-]{4,14}\d(?![\w:])|\(\d{3}\) ?\d{3}-\d{4}\b")
DATE = re.compile(r"\d{1,2}[/-]\d{1,2}[/-]\d{2,4}")
CITY = r"(?:,|\n)\s*(?:[A-Z]{1,2}-)?(?:\d{4,5}(?:-\d{3})?|\d{2}-\d{3}|\d{4} ?[A-Z]{2}|[A-Z]{1,2}\d[A-Z\d]? ?\d[A-Z]{2})"
NAME_LETTERS = 4
"""Names of fewer letters take no endings: "Ann" is no part of "Annie's"."""
TRANSLITERATED = str.maketrans(
    {"ä": "ae", "ö": "oe", "ü": "ue", "Ä": "Ae", "Ö": "Oe", "Ü": "Ue", "ß": "ss", "ø": "oe", "Ø": "Oe", "å": "aa",
     "Å": "Aa", "æ": "ae", "Æ": "Ae", "ł": "l", "Ł": "L"}
)  # fmt: skip
SHORTEST = 2
"""A private text below this many characters is not masked: a single letter stands in every word."""


@dataclass(frozen=True, slots=True)
class Found:
    """A span of personal data and the rule that found it."""

    start: int
    end: int
    rule: str


@cache
def _words() -> Mapping[str, Any]:
    return tomllib.loads((files("prompts") / "words" / "private_numbers.toml").read_text("utf-8"))


@cache
def ordinary() -> frozenset[str]:
    """Names that are also words: masked only where they are written as names, with a capital."""
    return frozenset((files("prompts") / "words" / "ordinary_names.txt").read_text("utf-8").split())


def find_personal(text: str, names: re.Pattern[str] | None, *, often: bool = False) -> list[Found]:
    """Spans in order, none overlapping another; where rules meet the first of the list above has it.

    `often` is for a text that comes again and again, such as the fixed part of a prompt: what the patterns find in it
    is remembered, and the text with it, so nobody's data may stand there.
    """
    taken: list[Found] = []
    for found in (*(_remembered if often else _unnamed)(text), *_names(text, names)):
        if not any(found.start < other.end and other.start < found.end for other in taken):
            taken.append(found)
    return sorted(taken, key=lambda f: f.start)


def _unnamed(text: str) -> tuple[Found, ...]:
    return (*_patterns(text), *_labelled(text), *_phones(text), *_addresses(text))


_remembered = lru_cache(maxsize=64)(_unnamed)


def _patterns(text: str) -> Iterator[Found]:
    for rule, pattern in (("email", EMAIL), ("iban", IBAN), ("vat", VAT)):
        yield from (Found(m.start(), m.end(), rule) for m in pattern.finditer(text) if _is_iban_like(rule, m.group()))
    yield from (Found(m.start(), m.end(), "card") for m in CARD.finditer(text) if _passes_luhn(m.group()))


def _is_iban_like(rule: str, surface: str) -> bool:
    """Plain words of the right length are no IBAN: one has at least ten digits, or passes its check sum."""
    return rule != "iban" or sum(c.isdigit() for c in surface) >= 10 or _passes_mod97(surface)


def _labelled(text: str) -> Iterator[Found]:
    for rule in ("account", "phone"):
        yield from (Found(*m.span("value"), rule) for m in _after_label(rule).finditer(text) if _fits(rule, m["value"]))


@cache
def _after_label(rule: str) -> re.Pattern[str]:
    """A number or code right after one of the rule's words, in any of the languages."""
    words = sorted({w for row in _words()[rule].values() for w in row}, key=len, reverse=True)
    joint = r"[ .:#°º]{0,4}(?:(?:is|ist|est|es|lautet|no|nr|n°)[ .:]{1,2})?"
    value = r"\+?[A-Z0-9][A-Z0-9 ./()-]{2,24}[A-Z0-9]" if rule == "account" else r"\+?\(?\d[\d /().-]{5,18}\d"
    return re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, words))}){joint}(?P<value>{value})", re.IGNORECASE)


def _fits(rule: str, value: str) -> bool:
    digits = sum(c.isdigit() for c in value)
    return digits >= (7 if rule == "phone" else 4) and not DATE.fullmatch(value.strip())


def _phones(text: str) -> Iterator[Found]:
    known = (Found(m.start, m.end, "phone") for m in phonenumbers.PhoneNumberMatcher(text, None))
    yield from (f for f in known if "_" not in text[f.start : f.end])
    for m in NATIONAL_PHONE.finditer(text):
        if sum(c.isdigit() for c in m.group()) >= 7 and not DATE.match(m.group()):
            yield Found(m.start(), m.end(), "phone")


def _addresses(text: str) -> Iterator[Found]:
    yield from (Found(m.start(), m.end(), "address") for m in _address_pattern().finditer(text))


@cache
def _address_pattern() -> re.Pattern[str]:
    """A street with its number, with postal code and town when they follow."""
    street = _words()["street"]
    word, number = r"[A-ZÀ-ŽŁŚŻŹ][\wÀ-ž.'’-]*", r"\d{1,4} ?[a-zA-Z]?(?:[-/]\d{1,4})?"
    glued = rf"(?:{word} )?[A-ZÀ-Ž][\wÀ-ž-]*(?:{'|'.join(street['after_glued'])})\.? {number}(?!\w)"
    after = rf"{number} (?:{word} ){{1,3}}(?:{'|'.join(w.capitalize() for w in street['after_word'])})\b\.?"
    first = "|".join(sorted({w.capitalize() for w in street["before"]} | set(street["before"]), key=len, reverse=True))
    small = r"(?:(?:de|la|le|les|du|des|da|do|dos|di|del|della|el|los|den|der) )*"
    before = rf"(?:{number},? )?(?<!\w)(?:{first})\.? {small}(?:l['’])?{word}(?: {small}{word}){{0,2}},? {number}(?!\w)"
    kinds = "rue|avenue|boulevard|place|allée|impasse|quai|chemin|route"
    french = rf"{number},? (?:bis |ter )?(?:{kinds}) {small}(?:l['’])?{word}(?: {word})?"
    town = rf"(?:{CITY}(?: {word}(?:[ -]{word})?)?)?"
    return re.compile(rf"(?:{french}|{after}|{glued}|{before}){town}")


def _names(text: str, names: re.Pattern[str] | None) -> Iterator[Found]:
    for m in names.finditer(text) if names else ():
        if not (m.group().islower() and m.group() in ordinary()):
            yield Found(m.start(), m.end(), "name")


def name_pattern(private: Iterable[str]) -> re.Pattern[str] | None:
    """All private texts and the forms they take, longest first, at word boundaries, in any case; None for none."""
    forms = {form for text in private if len(text.strip()) >= SHORTEST for form in _spellings(text.strip())}
    if not forms:
        return None
    ordered = sorted(forms, key=lambda f: (-len(f), f))
    endings = "|".join(sorted(map(re.escape, _words()["endings"]["all"]), key=len, reverse=True))
    plain = "|".join(map(_loose, ordered))
    bent = "|".join(sorted((re.escape(_stem(f)) for f in ordered if _bends(f)), key=len, reverse=True))
    declined = rf"|(?-i:(?<!\w)(?:{bent})(?:{endings})(?!\w))" if bent else ""
    return re.compile(rf"(?<!\w)(?:{plain})(?!\w){declined}", re.IGNORECASE)


def _spellings(text: str) -> set[str]:
    """The text, its transliteration (Müller: Mueller) and its plain letters (Muller)."""
    plain = unicodedata.normalize("NFKD", text.translate(str.maketrans("łŁøØß", "lLoOs")))
    return {text, text.translate(TRANSLITERATED), "".join(c for c in plain if not unicodedata.combining(c))}


def _loose(form: str) -> str:
    """A form in which any white space may stand for a blank."""
    return r"\s+".join(map(re.escape, form.split()))


def _bends(form: str) -> bool:
    return len(form) >= NAME_LETTERS and form.isalpha() and form[0].isupper()


def _stem(form: str) -> str:
    return form[:-1] if form[-1] in "aeoyi" and len(form) > NAME_LETTERS else form


def _passes_luhn(text: str) -> bool:
    digits = [int(c) for c in reversed(text) if c.isdigit()]
    doubled = [d * 2 - 9 if d > 4 else d * 2 for d in digits[1::2]]
    return (sum(digits[::2]) + sum(doubled)) % 10 == 0


def _passes_mod97(text: str) -> bool:
    plain = "".join(c for c in text.upper() if c.isalnum())
    return int("".join(str(int(c, 36)) for c in plain[4:] + plain[:4])) % 97 == 1
