"""Which product a text means: by name, alias or SKU exactly, after removing spaces and hyphens. Never nearly."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from crmplugin.analysis.phrases import Token, fold, tokens
from crmplugin.domain.crm import Product

_LONGEST = 8
_LETTERS_DIGITS = re.compile(r"([a-z]+)(\d+)[a-z0-9]*")


@dataclass(frozen=True, slots=True)
class Mention:
    """A product named in a text, by the words `first` to `last` (both in)."""

    product: Product
    first: int
    last: int
    text: str


def products_named(text: str, products: Iterable[Product]) -> tuple[Mention, ...]:
    """Products named in a text in order; of overlapping names the longest counts."""
    row = tokens(text)
    if not row:
        return ()
    names = {key: product for product in products for key in keys_of(product)}
    found: list[Mention] = []
    at = 0
    while at < len(row):
        mention = _longest_at(text, row, at, names)
        found += [mention] if mention else []
        at = mention.last + 1 if mention else at + 1
    return tuple(found)


def keys_of(product: Product) -> tuple[str, ...]:
    """The spellings a product is known by, squeezed: name, SKU, aliases, and an id that looks like a product code."""
    return _keys(product.id, product.name, product.sku, product.aliases)


@lru_cache(maxsize=65_536)
def _keys(id_: str, name: str | None, sku: str | None, aliases: tuple[str, ...]) -> tuple[str, ...]:
    # Every brief asks this of the whole catalogue, and squeezing is its dearest step.
    coded = id_ if _LETTERS_DIGITS.fullmatch(_squeeze(id_)) else None
    squeezed = (_squeeze(given) for given in (name, sku, coded, *aliases) if given)
    return tuple(dict.fromkeys(key for key in squeezed if len(key) > 1))


def looks_like_another(text: str, products: Iterable[Product]) -> bool:
    """Whether a text names a code like a known product's with another number: "FM-3000" when only FM-300 is known."""
    row = tokens(text)
    known = {key for product in products for key in keys_of(product)}
    stems = {match[1] for key in known if (match := _LETTERS_DIGITS.fullmatch(key))}
    windows = {_joined(row, i, n) for i in range(len(row)) for n in (1, 2, 3)} - known
    return any(
        (m := _LETTERS_DIGITS.fullmatch(w)) is not None and m[1] in stems and len(m[1]) > 1 for w in windows if w
    )


def _longest_at(text: str, row: Sequence[Token], at: int, names: dict[str, Product]) -> Mention | None:
    for size in range(min(_LONGEST, len(row) - at), 0, -1):
        product = names.get(_joined(row, at, size)) or _plural(row, at, size, names)
        if product is not None and not _goes_on(row, text, at + size):
            return Mention(product, at, at + size - 1, text[row[at].start : row[at + size - 1].end])
    return None


def _plural(row: Sequence[Token], at: int, size: int, names: dict[str, Product]) -> Product | None:
    """The product of a name with a plural s ("three dividers D30s" no, "gasket kits" yes): never after a digit."""
    joined = _joined(row, at, size)
    return names.get(joined[:-1]) if len(joined) > 4 and joined.endswith("s") and not joined[-2].isdigit() else None


def _goes_on(row: Sequence[Token], text: str, at: int) -> bool:
    """Whether the name goes on with a number that makes it another: "FlowMeter 300" inside "FlowMeter 300-2"."""
    if at >= len(row):
        return False
    between = text[row[at - 1].end : row[at].start]
    return between in ("-", ".", "/") and row[at].word[:1].isdigit()


def _joined(row: Sequence[Token], at: int, size: int) -> str:
    if at + size > len(row) or any(token.after_break for token in row[at + 1 : at + size]):
        return ""
    return "".join(token.word for token in row[at : at + size])


def _squeeze(name: str) -> str:
    return "".join(token.word for token in tokens(fold(name)))
