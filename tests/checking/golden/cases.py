"""True and wrong sentences in eight languages over six firms' records, and what is spoiled in the true ones.

A line of `true.txt` is language|world|sentence, of `wrong.txt` language|world|kind|sentence; a world is a records file.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import cache, partial
from pathlib import Path
from typing import Any

from crmplugin.checking.check import check_text
from crmplugin.cli.checking import records_ground
from crmplugin.journeys.check_any import check_any

HERE = Path(__file__).parent
WORLDS = Path(__file__).parents[3] / "evals" / "worlds"

TYPED = frozenset({"digit", "zero", "day", "year", "currency", "foreign", "leak", "link"})
_MONTHS = {
    "en": "February|March|April|May|June|August|September|October|November",
    "de": "Februar|März|April|Mai|Juni|August|September|Oktober|November",
    "fr": "février|mars|avril|mai|juin|août|septembre|octobre|novembre",
    "es": "de febrero|de marzo|de abril|de mayo|de junio|de agosto|de septiembre|de octubre|de noviembre",
    "it": "febbraio|marzo|aprile|maggio|giugno|agosto|settembre|ottobre|novembre",
    "nl": "februari|maart|april|mei|juni|augustus|september|oktober|november",
    "pl": "lutego|marca|kwietnia|maja|czerwca|sierpnia|września|października|listopada",
    "pt": "de fevereiro|de março|de abril|de maio|de junho|de agosto|de setembro|de outubro|de novembro",
}
_STRANGERS = {
    "pumps": "Hebrides Lines",
    "cloud": "Fiduciaire Perrin SA",
    "linen": "Ottilie Rainer",
    "lab": "Tallgrass Diagnostics",
    "solar": "Molinos Arrieta",
    "malt": "Ales of Ardmore",
    "bikes": "Postdienst Wendt",
}
_SECRETS = {"pumps": "187", "cloud": "90", "linen": "21", "lab": "150", "solar": "110", "malt": "17", "bikes": "3100"}
_CURRENCY = {"cloud": "CHF", "lab": "$"}
CLAIMS: dict[str, dict[str, str]] = {
    "en": {
        "guarantee": "; we guarantee it",
        "social": "; most of our customers choose it",
        "best": "; nothing on the market is better",
        "urgency": "; only a few are left",
        "promise": "; we will add two more for you",
        "free": "; installation is free",
        "absence": "; it has never failed",
        "attribution": "; you told us so last autumn",
        "comparison": "; it is cheaper than the old one",
    },
    "de": {
        "guarantee": "; das garantieren wir",
        "social": "; viele Betriebe setzen darauf",
        "best": "; es ist das beste Produkt am Markt",
        "urgency": "; es sind nur noch wenige Stück da",
        "promise": "; wir legen Ihnen zwei weitere dazu",
        "free": "; die Montage ist kostenlos",
        "absence": "; es ist noch nie ausgefallen",
        "attribution": "; so hatten Sie es im Herbst gesagt",
        "comparison": "; es ist günstiger als das alte",
    },
    "fr": {
        "guarantee": " ; c'est garanti",
        "social": " ; beaucoup de clients l'ont adopté",
        "best": " ; c'est le meilleur du marché",
        "urgency": " ; il n'en reste que quelques-uns",
        "promise": " ; nous vous en ajouterons deux",
        "free": " ; la pose est gratuite",
        "absence": " ; il n'est jamais tombé en panne",
        "attribution": " ; vous l'aviez dit à l'automne",
        "comparison": " ; c'est moins cher que l'ancien",
    },
    "es": {
        "guarantee": "; lo garantizamos",
        "social": "; muchos clientes lo eligen",
        "best": "; es el mejor del mercado",
        "urgency": "; quedan muy pocos",
        "promise": "; le añadiremos dos más",
        "free": "; el montaje es gratuito",
        "absence": "; nunca ha fallado",
        "attribution": "; así lo dijo usted en otoño",
        "comparison": "; es más barato que el anterior",
    },
    "it": {
        "guarantee": "; è garantito",
        "social": "; molti clienti lo scelgono",
        "best": "; è il migliore sul mercato",
        "urgency": "; ne restano pochi",
        "promise": "; ne aggiungeremo altri due",
        "free": "; il montaggio è gratuito",
        "absence": "; non si è mai guastato",
        "attribution": "; così ha detto lei in autunno",
        "comparison": "; è più economico del vecchio",
    },
    "nl": {
        "guarantee": "; dat garanderen we",
        "social": "; veel klanten kiezen ervoor",
        "best": "; het is het beste op de markt",
        "urgency": "; er zijn er nog maar weinig",
        "promise": "; we leveren er twee extra bij",
        "free": "; de montage is gratis",
        "absence": "; het is nooit uitgevallen",
        "attribution": "; dat zei u in het najaar",
        "comparison": "; het is goedkoper dan het oude",
    },
    "pl": {
        "guarantee": "; gwarantujemy to",
        "social": "; wielu klientów to wybiera",
        "best": "; to najlepszy wybór na rynku",
        "urgency": "; zostało już tylko kilka",
        "promise": "; dostarczymy dwa dodatkowe",
        "free": "; montaż jest bezpłatny",
        "absence": "; nigdy nie zawiodło",
        "attribution": "; tak powiedziała pani jesienią",
        "comparison": "; jest tańszy niż poprzedni",
    },
    "pt": {
        "guarantee": "; garantimos isso",
        "social": "; muitos clientes escolhem-no",
        "best": "; é o melhor do mercado",
        "urgency": "; restam muito poucos",
        "promise": "; acrescentaremos mais dois",
        "free": "; a montagem é gratuita",
        "absence": "; nunca falhou",
        "attribution": "; foi o que disse no outono",
        "comparison": "; é mais barato do que o anterior",
    },
}


def true_rows() -> list[tuple[str, str, str]]:
    """Language, world, sentence."""
    lines = (HERE / "true.txt").read_text(encoding="utf-8").splitlines()
    return [tuple(line.split("|", 2)) for line in lines]  # type: ignore[misc]


def wrong_rows() -> list[tuple[str, str, str, str]]:
    """Language, world, kind, sentence."""
    lines = (HERE / "wrong.txt").read_text(encoding="utf-8").splitlines()
    return [tuple(line.split("|", 3)) for line in lines]  # type: ignore[misc]


@cache
def _ground(world: str, language: str) -> Any:
    path = WORLDS / f"{world}.json"
    head = json.loads(path.read_text(encoding="utf-8"))
    with records_ground(str(path), head["x_subject"], language, "customer", head["x_as_of"]) as ground:
        return ground


def passes(language: str, world: str, text: str) -> bool:
    """Whether `check --language` lets a text through."""
    report = check_any(text, _ground(world, language), check=partial(check_text, style=False), audience="customer")
    return bool(report.supported)


def spoil(language: str, world: str, text: str) -> Iterator[tuple[str, str]]:
    """Kind and text of each wrong sentence made from a true one."""
    for m in re.finditer(r"(?<![\w.,'-])[0-9]+(?![\w'’]|[.,][0-9]|-[A-Z0-9])", text):
        last = m.end() - 1
        yield "digit", text[:last] + str((int(text[last]) + 3) % 10) + text[last + 1 :]
    for m in re.finditer(r"[0-9][.,' ’][0-9]{3}[.,][0-9]{2}(?![0-9])", text):
        yield "digit", text[: m.start()] + str(int(text[m.start()]) % 9 + 1) + text[m.start() + 1 :]
        yield "zero", text[: m.end() - 3] + "0" + text[m.end() - 3 :]
    for m in re.finditer(rf"\b([0-9]{{1,2}})(\.?) ({_MONTHS[language]})(?! 20)", text):
        yield "day", f"{text[: m.start()]}{(int(m[1]) + 4) % 27 + 1}{m[2]} {m[3]}{text[m.end() :]}"
        of = "de " if language in ("es", "pt") else ""
        yield "year", f"{text[: m.end()]} {of}2023{text[m.end() :]}"
    for sign in ("€", "CHF", "$"):
        if sign in text:
            other = "£" if sign != "£" else "€"
            yield "currency", text.replace(sign, other)
    if text.endswith("."):
        yield from _longer(language, world, text[:-1])


def _longer(language: str, world: str, text: str) -> Iterator[tuple[str, str]]:
    yield "foreign", f"{text} ({_STRANGERS[world]})."
    yield "leak", f"{text} ({_SECRETS[world]} {_CURRENCY.get(world, '€')})."
    yield "link", f"{text}: http://pay.evil.test/x."
    yield from ((kind, f"{text}{added}.") for kind, added in CLAIMS[language].items())
