"""The owner's voice and policy as forms: which fields there are, and how a form and a document become each other.

A form holds every field of ours, so an empty one empties it. What a document holds beside them (`x_` keys, further
limits and examples) stays as it is. Whether a value is right is for `domain.records.check_record` to say.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

Document = Mapping[str, Any]
Kind = Literal["number", "choice", "check", "lines", "uses", "trades", "clauses", "numbers"]
TONGUES = ("de", "fr", "es", "it", "nl")
SEPARATOR = "|"


@dataclass(frozen=True, slots=True)
class Field:
    """One input. `path` is where its value stands in the document, from the outside in."""

    name: str
    path: tuple[str, ...]
    kind: Kind
    options: tuple[str, ...] = ()


VOICE = (
    Field("person", ("person",), "choice", ("we", "I")),
    *(Field(f"address_{t}", ("address", t), "choice", ("formal", "informal")) for t in TONGUES),
    Field("max_exclaim", ("max_exclaim",), "number"),
    Field("emoji", ("emoji",), "choice", ("none", "few")),
    Field("sentence_max", ("limits", "sentence_max"), "number"),
    *(Field(name, ("sliders", name), "number") for name in ("warmth", "energy", "formality", "humour")),
    Field("avoid", ("terms", "avoid"), "lines"),
    Field("use", ("terms", "use"), "uses"),
    Field("good", ("examples", "good"), "lines"),
    Field("bad", ("examples", "bad"), "lines"),
)
POLICY = (
    Field("floor_margin_pct", ("floor_margin_pct",), "number"),
    *(Field(f"band_{role}", ("bands", role), "number") for role in ("rep", "manager", "director")),
    Field("stackable", ("stackable",), "check"),
    Field("max_validity_days", ("max_validity_days",), "number"),
    Field("standard_days", ("terms_days", "standard"), "number"),
    Field("allowed_days", ("terms_days", "allowed"), "numbers"),
    Field("capital_cost_pct", ("capital_cost_pct",), "number"),
    Field("base_renewal_pct", ("base_renewal_pct",), "number"),
    Field("trades", ("trades",), "trades"),
    Field("clauses", ("clauses",), "clauses"),
)
FORMS: Mapping[str, tuple[Field, ...]] = {"voice": VOICE, "policy": POLICY}


def form_of(collection: str, document: Document) -> dict[str, str]:
    """What the inputs show of a document."""
    return {field.name: _SHOW[field.kind](_found(_by_role(document), field.path)) for field in FORMS[collection]}


def document_of(collection: str, form: Mapping[str, str], old: Document) -> dict[str, Any]:
    """The document that a form means, over the present one: an emptied field is null."""
    made: dict[str, Any] = {}
    for field in FORMS[collection]:
        *outer, name = field.path
        place = made
        for key in outer:
            place = place.setdefault(key, {})
        place[name] = _READ[field.kind](form.get(field.name, "").strip())
    if "bands" in made:
        made["bands"] = [{"role": r, "max_pct": v} for r, v in made["bands"].items() if v is not None]
    return {key: _over(old.get(key), value) for key, value in made.items()}


def _over(old: Any, new: Any) -> Any:
    """Inner fields over those that were there; what is empty is left out."""
    if not isinstance(new, dict):
        return new
    both = {**(old if isinstance(old, Mapping) else {}), **new}
    return {key: value for key, value in both.items() if value not in (None, [], {})} or None


def _by_role(document: Document) -> Document:
    bands = {band.get("role"): band.get("max_pct") for band in document.get("bands") or ()}
    return {**document, "bands": bands}


def _found(document: Any, path: tuple[str, ...]) -> Any:
    for key in path:
        document = document.get(key) if isinstance(document, Mapping) else None
    return document


def _rows(text: str, names: tuple[str, ...]) -> list[dict[str, str]]:
    """Lines of `a | b | c` as rows; a part that is missing is left out."""
    rows = []
    for line in text.splitlines():
        parts = [part.strip() for part in line.split(SEPARATOR, len(names) - 1)]
        if any(parts):
            rows.append({name: part for name, part in zip(names, parts, strict=False) if part})
    return rows


def _shown_rows(names: tuple[str, ...]) -> Callable[[Any], str]:
    return lambda rows: "\n".join(
        f" {SEPARATOR} ".join(str(row.get(name) or "") for name in names).rstrip(f" {SEPARATOR}") for row in rows or ()
    )


def _uses(text: str) -> dict[str, list[str]]:
    """Lines of `our word: theirs, theirs`."""
    pairs = (line.partition(":") for line in text.splitlines() if line.strip())
    return {word.strip(): [part.strip() for part in rest.split(",") if part.strip()] for word, _, rest in pairs}


def _number(text: str) -> Any:
    return text.replace(",", ".") or None


TRADE = ("id", "text", "value", "currency")
CLAUSE = ("id", "text")
_READ: Mapping[Kind, Callable[[str], Any]] = {
    "number": _number,
    "choice": lambda text: text or None,
    "check": lambda text: text == "1",
    "lines": lambda text: [line.strip() for line in text.splitlines() if line.strip()],
    "numbers": lambda text: [part.strip() for part in text.replace(";", ",").split(",") if part.strip()],
    "uses": _uses,
    "trades": lambda text: _rows(text, TRADE),
    "clauses": lambda text: _rows(text, CLAUSE),
}
_SHOW: Mapping[Kind, Callable[[Any], str]] = {
    "number": lambda value: "" if value is None else str(value),
    "choice": lambda value: value or "",
    "check": lambda value: "1" if value else "",
    "lines": lambda value: "\n".join(value or ()),
    "numbers": lambda value: ", ".join(str(part) for part in value or ()),
    "uses": lambda value: "\n".join(f"{word}: {', '.join(rest)}" for word, rest in (value or {}).items()),
    "trades": _shown_rows(TRADE),
    "clauses": _shown_rows(CLAUSE),
}
