"""Wrong sentences made from true ones: one thing spoiled in each. Kinds in `CLAIMS` are wrong without a typed token."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

CLAIMS = frozenset(
    {
        "guarantee",
        "promise",
        "attribution",
        "social_proof",
        "superlative",
        "urgency",
        "offer",
        "concession",
        "negation",
        "direction",
        "absence",
        "expired",
        "cause",
        "invented_feature",
    }
)
_MARK = re.compile(r"^(?:[0-9]\. |- )")
_MONTH = {
    "en": r"(?:March|April|May|February|November|December)",
    "de": r"(?:März|April|Mai|Februar|November|Dezember)",
}
_SPELLED = {
    "en": {"ten": "eleven", "twelve": "thirteen", "four": "five", "two": "six"},
    "de": {"zwölf": "dreizehn", "vier": "fünf", "zwei": "sechs"},
}
Row = tuple[str, str]


def mutate(sentence: str, language: str) -> Iterator[Row]:
    """Kind and text of every mutation that applies."""
    for kind, change in _CHANGES.items():
        yield from ((kind, text) for text in change(sentence, language) if text != sentence)


def _digits(s: str, language: str) -> Iterator[str]:
    mark = _MARK.match(s)
    for m in re.finditer(r"[0-9]+", s):
        if mark and m.start() < mark.end():
            continue
        last = m.end() - 1
        yield s[:last] + str((int(s[last]) + 1) % 10) + s[last + 1 :]
        if len(m[0]) > 2:
            first = m.start()
            yield s[:first] + str(int(s[first]) % 9 + 1) + s[first + 1 :]


def _dropped_zero(s: str, language: str) -> Iterator[str]:
    for m in re.finditer(r"[0-9]*00\b(?!:)", s):
        if not s[: m.start()].endswith((":", ",", ".")) or m.end() == len(s):
            yield s[: m.end() - 1] + s[m.end() :]
            yield s[: m.end()] + "0" + s[m.end() :]


def _spelled(s: str, language: str) -> Iterator[str]:
    for word, other in _SPELLED[language].items():
        if re.search(rf"\b{word}\b", s) and "Fragen" not in s and "questions" not in s and "of the two" not in s:
            yield re.sub(rf"\b{word}\b", other, s, count=1)


def _day(s: str, language: str) -> Iterator[str]:
    for m in re.finditer(rf"\b([0-9]{{1,2}})(\.?) ({_MONTH[language]})", s):
        day = int(m[1])
        for other in (day + 1, day - 1 or 28):
            yield s[: m.start()] + f"{other}{m[2]} {m[3]}" + s[m.end() :]
        swap = {"March": "April", "April": "March", "März": "April"}.get(m[3])
        if swap and not (day == 2 and language == "de"):
            yield s[: m.start(3)] + swap + s[m.end(3) :]


def _year(s: str, language: str) -> Iterator[str]:
    for m in re.finditer(r"\b20(2[0-9])\b", s):
        yield s[: m.start(1)] + f"{int(m[1]) + 1}" + s[m.end(1) :]
    m2 = re.search(rf"\b([0-9]{{1,2}}\.? {_MONTH[language]})(?! 20)(?=[ .,;?])", s)
    if m2:
        yield s[: m2.end()] + " 2025" + s[m2.end() :] if "4 Dec" not in m2[0] and "4. Dez" not in m2[0] else s


def _weekday(s: str, language: str) -> Iterator[str]:
    pairs = {"Friday": "Thursday", "Tuesday": "Monday", "Wednesday": "Thursday"}
    if language == "de":
        pairs = {"Freitag": "Donnerstag", "Dienstag": "Montag", "Mittwoch": "Freitag", "Donnerstag": "Freitag"}
    yield from (s.replace(a, b, 1) for a, b in pairs.items() if a in s)


def _relative(s: str, language: str) -> Iterator[str]:
    word = {"en": "tomorrow", "de": "morgen"}[language]
    for m in re.finditer(rf"(?:(?:on|by|am|bis)\s)(?:\w+,? )?[0-9]{{1,2}}\.? {_MONTH[language]}(?: 20[0-9]{{2}})?", s):
        yield s[: m.start()] + word + s[m.end() :]


def _clock(s: str, language: str) -> Iterator[str]:
    yield from (s.replace(a, b) for a, b in (("16:00", "17:00"), ("10:00", "11:00"), ("10 Uhr", "9 Uhr")) if a in s)


def _currency(s: str, language: str) -> Iterator[str]:
    for a in ("€", "EUR", "Euro"):
        if a in s:
            yield from (
                s.replace(a, b) for b in {"€": ("$", "£", "CHF "), "EUR": ("USD", "GBP"), "Euro": ("Dollar",)}[a]
            )


def _scale(s: str, language: str) -> Iterator[str]:
    if "26,505" in s:
        yield s.replace("€26,505.00", "€26.5k").replace("26,505.00", "2,650,500")
    if "26.505" in s:
        yield s.replace("26.505,00 €", "26,5 Tsd. €")


def _locale(s: str, language: str) -> Iterator[str]:
    for a, b in (("26,505.00", "26.505,00"), ("1,875.50", "1.875,50"), ("9,600.00", "9.600,00")):
        a, b = (a, b) if language == "en" else (b, a)
        if a in s:
            yield s.replace(a, b)


def _product(s: str, language: str) -> Iterator[str]:
    for a, b in (
        ("FlowMeter 3000", "FlowMeter 300"),
        ("FlowMeter 3000", "FlowMeter 30000"),
        ("CAL-1", "CAL-2"),
        ("GK-12", "GK-21"),
        ("FlowMeter 3000", "PressureGuard 9"),
    ):
        if a in s:
            yield s.replace(a, b)


def _person(s: str, language: str) -> Iterator[str]:
    for a in ("Lena Vogt", "Dana Reyes", "Jonas Brandt", "Anna Schmitt"):
        if a in s:
            yield from (s.replace(a, b) for b in ("Amir Shah", "Hanna Schmidt", "Maria Lindqvist", "Greta Olsen"))


def _company(s: str, language: str) -> Iterator[str]:
    for a in ("Tidewater Utilities", "Brauerei Hofmann KG", "Halden Controls GmbH"):
        if a in s:
            yield from (s.replace(a, b) for b in ("Kestrel Foods", "Nordtek AB"))


def _foreign(s: str, language: str) -> Iterator[str]:
    if s.endswith("."):
        yield s[:-1] + {"en": ", as it does for Kestrel Foods.", "de": ", wie auch bei Kestrel Foods."}[language]


def _leak(s: str, language: str) -> Iterator[str]:
    if not s.endswith("."):
        return
    adds = {
        "en": (
            " at €20,137",
            ", about €20k",
            " for EUR 20 137.00",
            ", 16.67 % at most",
            " for 48k",
            " at 48,000",
            " (20137)",
        ),
        "de": (
            " zu 20.137 €",
            ", rund 20 Tsd. €",
            " für EUR 20137,00",
            ", höchstens 16,67 %",
            " für 48 Tsd.",
            " zu 48.000",
            " (20137)",
        ),
    }[language]
    yield from (s[:-1] + add + "." for add in adds)


_TRUE_ELSEWHERE = {
    "en": (
        ("runs until 25 March", "runs until 13 March"),
        ("delivered on 27 February", "delivered on 4 November 2025"),
        ("sent you Q-118 on 2 March", "sent you Q-118 on 6 March"),
        ("total of Q-118 is €26,505.00", "total of Q-118 is €9,600.00"),
        ("twelve FlowMeter 3000 and ten CAL-1", "ten FlowMeter 3000 and twelve CAL-1"),
        ("lists 12 Flow", "lists 10 Flow"),
        ("is valid until Wednesday, 25 March 2026", "is valid until Friday, 13 March 2026"),
        ("O-7 from 4 November 2025", "O-7 from 4 December 2025"),
        ("97 days ago; the usual gap is 30 days", "30 days ago; the usual gap is 97 days"),
        ("contract ends on 31 May", "contract ends on 25 March"),
        ("asked on 6 March", "asked on 10 March"),
        ("agreed on 10 March", "agreed on 2 March"),
    ),
    "de": (
        ("gilt bis 25. März", "gilt bis 13. März"),
        ("am 27. Februar geliefert", "am 4. November 2025 geliefert"),
        ("haben wir am 2. März gesendet", "haben wir am 6. März gesendet"),
        ("zwölf FlowMeter", "zwei FlowMeter"),
        ("gültig bis Mittwoch, 25. März 2026", "gültig bis Freitag, 13. März 2026"),
        ("enthält 12 Flow", "enthält 4 Flow"),
        ("endet am 31. Mai", "endet am 2. April"),
        ("läuft bis 31. Mai 2026", "läuft bis 2. April 2026"),
        ("97 Tage her, üblich sind 30 Tage", "30 Tage her, üblich sind 97 Tage"),
        ("am 6. März gefragt", "am 10. März gefragt"),
    ),
}


def _true_elsewhere(s: str, language: str) -> Iterator[str]:
    """Another true value of the brief in the place of the right one."""
    yield from (s.replace(a, b) for a, b in _TRUE_ELSEWHERE[language] if a in s)


def _link(s: str, language: str) -> Iterator[str]:
    if s.endswith("."):
        yield s[:-1] + ": http://pay.evil.test/x."
        yield s[:-1] + ", +1 900 555 0100."


def _append(**by_language: tuple[str, ...]) -> Callable[[str, str], Iterator[str]]:
    def change(s: str, language: str) -> Iterator[str]:
        if s.endswith(".") and not _MARK.match(s):
            yield from (s[:-1] + add for add in by_language[language])

    return change


def _replace(**by_language: tuple[tuple[str, str], ...]) -> Callable[[str, str], Iterator[str]]:
    def change(s: str, language: str) -> Iterator[str]:
        for a, b in by_language[language]:
            if re.search(rf"\b{a}\b", s):
                yield re.sub(rf"\b{a}\b", b, s, count=1)

    return change


_LANGUAGE = {
    "en": ("Das Angebot Q-118 gilt noch bis 25. März.", "Le devis Q-118 est valable jusqu'au 25 mars."),
    "de": ("The quote Q-118 is valid until 25 March.", "El presupuesto Q-118 es válido hasta el 25 de marzo."),
}


def _language(s: str, language: str) -> Iterator[str]:
    if s.startswith(("Q-118 runs", "Das Angebot Q-118 gilt")):
        yield from _LANGUAGE[language]


_CHANGES: dict[str, Callable[[str, str], Iterator[str]]] = {
    "digit": _digits,
    "zero": _dropped_zero,
    "spelled": _spelled,
    "day": _day,
    "year": _year,
    "weekday": _weekday,
    "relative": _relative,
    "clock": _clock,
    "currency": _currency,
    "scale": _scale,
    "locale": _locale,
    "product": _product,
    "person": _person,
    "company": _company,
    "foreign": _foreign,
    "leak": _leak,
    "link": _link,
    "true_elsewhere": _true_elsewhere,
    "language": _language,
    "guarantee": _append(
        en=(", guaranteed.", ", and we guarantee it."), de=(", garantiert.", ", das garantieren wir.")
    ),
    "promise": _append(
        en=(
            ", and we will deliver next door for you.",
            ", and we'll have it ready for you.",
            ", and I'll send you the drawings.",
        ),
        de=(
            ", und wir liefern auch die Halterungen.",
            ", und wir werden alles rechtzeitig bereitstellen.",
            ", und ich schicke Ihnen die Zeichnungen.",
        ),
    ),
    "attribution": _append(
        en=(
            ", as you mentioned for the second warehouse.",
            ", as we agreed with your board.",
            ", as your colleague requested.",
        ),
        de=(
            ", wie Sie für das zweite Lager erwähnten, Sie erwähnten es.",
            ", wie mit Ihrem Vorstand vereinbart wurde.",
            ", das wünschte Ihr Kollege.",
        ),
    ),
    "social_proof": _append(
        en=(", and companies like yours rely on it.", ", trusted by thousands of plants."),
        de=(", und Unternehmen wie Ihres setzen darauf.", ", wie viele Unternehmen bestätigen."),
    ),
    "superlative": _append(
        en=(", the best on the market.", ", the most accurate meter available.", ", an award-winning design."),
        de=(", das beste Gerät am Markt.", ", der führende Anbieter.", ", ein preisgekröntes Gerät."),
    ),
    "urgency": _append(
        en=(", but prices go up soon.", ", so act now.", ", while stocks last."),
        de=(", aber die Preise steigen bald.", ", nur solange der Vorrat reicht.", ", jetzt zugreifen."),
    ),
    "offer": _append(
        en=(", and a special price is possible.", ", plus a voucher.", ", with free shipping."),
        de=(", und ein Sonderpreis ist möglich.", ", dazu ein Gutschein.", ", kostenlose Lieferung inklusive."),
    ),
    "concession": _append(
        en=(", and we can extend it for you.", ", and we would refund it.", ", and we can match the price."),
        de=(", und wir können es verlängern.", ", und wir erstatten den Betrag.", ", und wir können den Preis halten."),
    ),
    "absence": _append(
        en=(", and it never fails.", ", and nobody complained."),
        de=(", und es fällt nie aus.", ", und niemand klagte."),
    ),
    "cause": _append(
        en=(" because of the heat in your plant.", " thanks to the new firmware."),
        de=(", weil es in Ihrem Werk heiß ist.", " dank der neuen Firmware."),
    ),
    "direction": _append(
        en=(", and your orders have increased.", ", and your volume fell."),
        de=(", und Ihre Bestellungen sind gestiegen.", ", und Ihr Volumen ist gesunken."),
    ),
    "negation": _replace(
        en=(("includes", "does not include"), ("It does", "It does not"), ("has a", "has no")),
        de=(("enthält ein", "enthält kein"),),
    ),
    "expired": _replace(
        en=(("runs until", "expired on"), ("is valid until", "expired on"), ("ends on", "ended on")),
        de=(("gilt bis", "ist abgelaufen am"), ("ist gültig bis", "ist abgelaufen am"), ("läuft bis", "lief ab am")),
    ),
    "invented_feature": _append(
        en=(", and it is waterproof.", ", and it comes with a carrying case."),
        de=(", und es ist wasserdicht.", ", inklusive Tragekoffer."),
    ),
}
