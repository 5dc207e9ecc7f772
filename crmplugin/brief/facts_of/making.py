"""How one fact is made: its id, its label and display in the output language, its source and who may read it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal
from types import MappingProxyType
from typing import Any
from zoneinfo import ZoneInfo

from crmplugin.brief.calendar import seller_zone
from crmplugin.brief.display import (
    minor_unit,
    needs_iso,
    show_count,
    show_date,
    show_datetime,
    show_duration,
    show_money,
    show_number,
    show_percent,
    show_range,
)
from crmplugin.brief.labels import load_labels
from crmplugin.domain.crm import COLLECTIONS, Context, Product
from crmplugin.domain.fact import Basis, Fact, FactKind, Source, Visibility

SINGULARS: Mapping[str, str] = MappingProxyType({"companies": "company", "activities": "activity"})

INTERNAL_FIELDS = frozenset(
    {
        "contacts.email", "contacts.phone", "companies.industry", "companies.employees",
        "products.list_price", "products.stock", "products.cost", "tickets.priority", "tickets.csat",
        "contracts.yearly_amount", "contracts.notice_on", "activities.mood", "activities.budget",
        "activities.total", "replenishment.rho", "replenishment.expected_gap", "prices.unit_price",
    }
)  # fmt: skip
"""Labels whose facts never reach a customer; everything of `deals` and `policy` is internal too."""
INTERNAL_COLLECTIONS = frozenset({"deals", "policy", "sheet", "stage_changes", "line_items"})


SYMBOLS = frozenset(
    {
        "kg", "g", "mg", "t", "l", "L", "ml", "hl", "m", "cm", "mm", "km", "m2", "m²", "m3", "m³", "h", "kWh", "MWh",
        "kW", "ha",
    }
)  # fmt: skip
"""Units written the same in every language."""


@dataclass(frozen=True, slots=True)
class Rec:
    """A record as facts see it. `name` is what labels call it; `visibility` overrules the table of fields."""

    collection: str
    id: str
    name: str
    at: datetime | None = None
    scope: tuple[str, ...] = ()
    visibility: Visibility | None = None
    field_prefix: str = ""
    """Where its fields stand in the record: `lines[1].` for the second line."""
    id_part: str = ""
    """What stands between record id and field in a fact id: `line2.`."""

    def line(self, index: int, name: str) -> Rec:
        """The record's line at `index` (from 0); fact ids count lines from 1."""
        return replace(self, name=name, field_prefix=f"lines[{index}].", id_part=f"line{index + 1}.")


@dataclass(frozen=True, slots=True)
class Maker:
    """Makes facts for one brief. `zone` is the recipient's, `owner_zone` the one the seller's dates belong to.

    `spelled` writes small counts as words (customer text); internal sheets keep digits.
    """

    language: str
    locale: str
    zone: str
    owner_zone: str
    now: datetime
    today: date
    read_at: datetime
    spelled: bool = True
    urls: Mapping[str, str] = field(default_factory=dict)
    prefixes: Mapping[tuple[str, str], str] = field(default_factory=dict)
    iso_currencies: frozenset[str] = frozenset()
    words: Mapping[str, str] = field(default_factory=dict)

    def id_of(self, rec: Rec, name: str) -> str:
        return f"{self.prefixes.get((rec.collection, rec.id), rec.id)}.{rec.id_part}{name}"

    def fact(
        self, rec: Rec, name: str, kind: FactKind, value: str, display: str, *,
        key: str | None = None, path: str | None = None, names: Mapping[str, str] = MappingProxyType({}), **more: Any,
    ) -> Fact:  # fmt: skip
        """The general form. `key` is the label's key when it is not `name`; `path` the field when it is not `name`."""
        label_key = f"{rec.collection}.{key or name}"
        given = {"visibility": self._visibility(rec, label_key), "source": (self.source(rec, path or name),)} | more
        given.setdefault("id", self.id_of(rec, name))
        given.setdefault("contact_scope", rec.scope)
        given.setdefault("as_of", rec.at or self.read_at)
        return Fact(
            kind=kind,
            label=self.word(label_key, name=rec.name, **names),
            value=value,
            display=display,
            **given,
        )

    def word(self, key: str, **names: str) -> str:
        return self.words[key].format(**names)

    def source(self, rec: Rec, path: str) -> Source:
        url = self.urls.get(f"{rec.collection}/{rec.id}")
        return Source(rec.collection, rec.id, rec.field_prefix + path, rec.at, url)

    def money(self, rec: Rec, name: str, value: Decimal | None, currency: str | None, **more: Any) -> Fact | None:
        """None when the amount or its currency is not recorded: a number without a currency is no money."""
        if value is None or not currency:
            return None
        exact = format(value.quantize(minor_unit(value, currency)), "f")
        return self.fact(rec, name, "money", exact, self.show_money(value, currency), unit=currency, **more)

    def day(
        self, rec: Rec, name: str, value: date | datetime | None, *, weekday: bool = False, year: bool = False,
        **more: Any,
    ) -> Fact | None:  # fmt: skip
        """A day; of an instant, the day it is for the owner of the document."""
        if value is None:
            return None
        day = self.owner_day(value)
        shown = self.show_day(day, weekday=weekday, year=year)
        return self.fact(rec, name, more.pop("kind", "date"), day.isoformat(), shown, **more)

    def moment(
        self, rec: Rec, name: str, value: datetime | None, *, zone: str | None = None, **more: Any
    ) -> Fact | None:
        """An instant in the recipient's zone (or the one given), its place named when our clock differs."""
        if value is None:
            return None
        shown = self.show_moment(value, zone=zone)
        return self.fact(rec, name, more.pop("kind", "datetime"), value.isoformat(), shown, **more)

    def text(self, rec: Rec, name: str, value: str | None, *, kind: FactKind = "text", **more: Any) -> Fact | None:
        return self.fact(rec, name, kind, value, value, **more) if value else None

    def product(self, rec: Rec, name: str, product: Product | None, *, path: str, **more: Any) -> Fact | None:
        """The name of a product that a record points to; its sources are the pointer and the name."""
        if product is None:
            return None
        sources = (self.source(rec, path), self.source(Rec("products", product.id, ""), "name"))
        return self.text(rec, name, product.name, kind="product", source=sources, **more)

    def quantity(
        self, rec: Rec, name: str, value: Decimal | None, *, unit: str | None = None, **more: Any
    ) -> Fact | None:
        if value is None:
            return None
        return self.fact(rec, name, "quantity", plain(value), self.show_quantity(value, unit), unit=unit, **more)

    def count(self, rec: Rec, name: str, value: int, **more: Any) -> Fact:
        return self.fact(rec, name, "count", str(value), self.show_count(value), **more)

    def percent(self, rec: Rec, name: str, value: Decimal | None, **more: Any) -> Fact | None:
        """A percentage, 0 to 100."""
        if value is None:
            return None
        return self.fact(rec, name, "percent", plain(value), show_percent(value, self.locale), unit="%", **more)

    def days(self, rec: Rec, name: str, value: Decimal | int, **more: Any) -> Fact:
        number = Decimal(value)
        return self.fact(
            rec, name, "duration", plain(number), show_duration(number, "day", self.locale), unit="day", **more
        )

    @property
    def in_english(self) -> Maker:
        """For warnings: they are English whatever the language of the text."""
        return self if self.language == "en" else replace(self, language="en", locale="en_GB")

    def show_money(self, value: Decimal, currency: str) -> str:
        return show_money(value, currency, self.locale, iso=currency in self.iso_currencies)

    def show_percent(self, value: Decimal) -> str:
        return show_percent(value, self.locale)

    def to_minor_unit(self, value: Decimal, currency: str) -> Decimal:
        """A computed amount rounded half up to the currency's minor unit."""
        return value.quantize(minor_unit(Decimal(0), currency), ROUND_HALF_UP)

    def show_number(self, value: Decimal | None) -> str:
        return show_number(value, self.locale) if value is not None else ""

    def show_day(self, day: date, *, weekday: bool = False, year: bool = False) -> str:
        return show_date(day, self.locale, today=self.today, weekday=weekday, year=year)

    def show_moment(self, instant: datetime, *, zone: str | None = None) -> str:
        return show_datetime(instant, zone or self.zone, self.locale, today=self.today, other_zone=self.owner_zone)

    def show_count(self, count: int) -> str:
        return show_count(count, self.locale) if self.spelled else show_number(Decimal(count), self.locale)

    def show_quantity(self, value: Decimal, unit: str | None) -> str:
        """Pieces are counted; a unit that is a symbol (kg, m, l) follows its number, words for packs would not bend."""
        if unit and unit in SYMBOLS:
            return f"{show_number(value, self.locale)} {unit}"
        return self.show_count(int(value)) if value == int(value) else show_number(value, self.locale)

    def show_span(self, low: Decimal, high: Decimal | None, unit: str) -> str:
        if high is None or high == low:
            return show_duration(low, unit, self.locale)
        return show_range(low, high, unit, self.locale)

    def owner_day(self, value: date | datetime) -> date:
        """The calendar day of an instant in the seller's zone; a plain date is already that."""
        return value.astimezone(ZoneInfo(self.owner_zone)).date() if isinstance(value, datetime) else value

    def local_day(self, instant: datetime) -> date:
        """The calendar day of an instant where the recipient is."""
        return instant.astimezone(ZoneInfo(self.zone)).date()

    def _visibility(self, rec: Rec, label_key: str) -> Visibility:
        if rec.visibility:
            return rec.visibility
        hidden = rec.collection in INTERNAL_COLLECTIONS or label_key in INTERNAL_FIELDS
        return "internal" if hidden else "customer"


def make_maker(
    context: Context, *, language: str, locale: str, zone: str, now: datetime, send_on: date, spelled: bool
) -> Maker:
    """A maker for one brief; days near `send_on` are written without their year."""
    return Maker(
        language=language,
        locale=locale,
        zone=zone,
        owner_zone=owner_zone(context),
        now=now,
        today=send_on,
        read_at=context.read_at,
        spelled=spelled,
        urls=context.urls,
        prefixes=prefixes(context),
        iso_currencies=needs_iso(_currencies(context), locale),
        words=load_labels(language),
    )


def owner_zone(context: Context) -> str:
    """The zone our dates belong to: the seller's, UTC when none is known."""
    return seller_zone(context) or "UTC"


def prefixes(context: Context) -> Mapping[tuple[str, str], str]:
    """Fact id prefixes that differ from the record id: when an earlier collection already uses the same id."""
    owners: dict[str, str] = {}
    differing: dict[tuple[str, str], str] = {}
    for collection in COLLECTIONS:
        for record in _records(context, collection):
            if owners.setdefault(record.id, collection) != collection:
                differing[collection, record.id] = f"{singular(collection)}:{record.id}"
    return differing


def singular(collection: str) -> str:
    return SINGULARS.get(collection) or collection.removesuffix("s")


def plain(value: Decimal) -> str:
    """A canonical decimal without exponent or trailing zeros."""
    return format(value.normalize(), "f")


def computed(formula: str, *inputs: str, **more: Any) -> Basis:
    return Basis(type="computed", formula=formula, inputs=inputs, **more)


def _records(context: Context, collection: str) -> tuple[Any, ...]:
    if collection == "companies":
        return (context.company,) if context.company else ()
    return tuple(getattr(context, collection))


def _currencies(context: Context) -> set[str]:
    found = {context.seller.currency}
    for name in ("deals", "quotes", "orders", "products", "contracts", "prices", "line_items"):
        found |= {record.currency for record in getattr(context, name)}
    return {code for code in found if code}
