"""What must change in a draft, and what must not, when one thing in the records or the clock changes."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from importlib.resources import files
from typing import Any

import pytest

from crmplugin.domain.brief import Request
from crmplugin.domain.crm import Subject
from crmplugin.domain.draft import Draft
from crmplugin.journeys.draft import make_draft
from crmplugin.journeys.evaluate import text_of
from crmplugin.wiring import open_scratch

NOON = datetime(2026, 2, 10, 12, 0, tzinfo=UTC)
SENT = {"activities": [{"id": "A-2", "direction": "outbound", "body": "It has 60 EBC and keeps 18 months."}]}
LANGUAGES = ("en", "de", "fr", "es")
DAYS = {
    "en": ("13 February", "12 February"),
    "de": ("13. Februar", "12. Februar"),
    "fr": ("13 février", "12 février"),
    "es": ("13 de febrero", "12 de febrero"),
}
LISTED = {"en": "It lists 50", "de": "Darin stehen 50", "fr": "Il comprend 50", "es": "Incluye 50"}
MONTHS = {"en": "February", "de": "Februar", "fr": "février", "es": "febrero"}
every_language = pytest.mark.parametrize("language", LANGUAGES)


@pytest.fixture
def draft_of(tmp_path):
    """A draft about the brewery's quote: `draft_of({…records on top…}, as_of=…)`."""

    def run(*more: dict[str, Any], world: str = "malt", deal: str = "D-5", as_of: datetime = NOON,
            kind: str = "follow_up", type_: str | None = None, language: str | None = "en") -> Draft:  # fmt: skip
        paths = [str(files("evals") / "worlds" / f"{world}.json")]
        for number, records in enumerate(more):
            path = tmp_path / f"{number}.json"
            path.write_text(json.dumps({"format": "crmplugin-records/1", **records}), encoding="utf-8")
            paths.append(str(path))
        with open_scratch(paths) as (assistant, report):
            assert not report.refused, report.refused
            request = Request("local", kind, Subject("deal", deal), type=type_, as_of=as_of, language=language)  # type: ignore[arg-type]
            return make_draft(request, tools=assistant.tools("local"), draft_id="d", now=as_of)

    return run


def sentences(draft: Draft) -> list[str]:
    return [s.text for s in draft.sentences if s.action != "removed"]


@every_language
def test_one_changed_fact_changes_its_mentions_only(draft_of, language):
    before = draft_of(SENT, language=language)
    after = draft_of(SENT, {"quotes": [{"id": "OF-90", "valid_until": "2026-02-12"}]}, language=language)

    was, now = DAYS[language]
    assert was in text_of(before)
    assert text_of(after) == text_of(before).replace(was, now)


@every_language
def test_a_deleted_fact_takes_its_sentence_along(draft_of, language):
    before = draft_of(SENT, language=language)
    without = {"quotes": [{"id": "OF-90", "lines": [], "total": None, "freight": None}]}
    after = draft_of(SENT, without, language=language)

    gone = [s for s in sentences(before) if s.startswith(LISTED[language])]
    assert len(gone) == 1
    assert sentences(after) == [s for s in sentences(before) if s not in gone]


@every_language
def test_an_unrelated_account_changes_nothing(draft_of, language):
    stranger = {
        "companies": [{"id": "K-9", "name": "Zwaluwnest Bakkers", "country": "NL"}],
        "contacts": [{"id": "P-9", "company_id": "K-9", "first_name": "Sanne", "last_name": "Verhoeven"}],
        "deals": [{"id": "D-9", "name": "Malt", "company_id": "K-9", "status": "open"}],
    }  # fmt: skip

    assert text_of(draft_of(SENT, stranger, language=language)) == text_of(draft_of(SENT, language=language))


INSIDE = {
    "products": [{"id": "PM-25", "cost": "29.90"}],
    "policy": {"floor_margin_pct": "48", "bands": [{"role": "rep", "max_pct": "1"}]},
    "deals": [{"id": "D-5", "probability": "12", "competitors": ["Moutland"], "target_discount_pct": "3"}],
}


@every_language
@pytest.mark.parametrize("kind", ["follow_up", "pitch"])
def test_internal_values_leave_the_customers_text_byte_for_byte(draft_of, kind, language):
    plain, changed = (draft_of(SENT, *more, kind=kind, language=language) for more in ((), (INSIDE,)))

    assert plain.status == "proposed"
    assert text_of(changed).encode() == text_of(plain).encode()


def test_an_internal_value_does_change_the_note_for_ourselves(draft_of):
    hotel = {"world": "linen", "deal": "D-31", "kind": "negotiation_note"}
    at = datetime(2026, 9, 10, 9, tzinfo=UTC)
    note = draft_of(as_of=at, **hotel)
    policy = {"policy": {"floor_margin_pct": "5", "bands": [{"role": "rep", "max_pct": "1"}]}}
    cheaper = draft_of(policy, as_of=at, **hotel)

    assert text_of(note) != text_of(cheaper)


@every_language
def test_a_quote_is_open_until_midnight_of_the_sellers_day(draft_of, language):
    last_minute = draft_of(SENT, as_of=datetime(2026, 2, 13, 22, 59, tzinfo=UTC), language=language)
    next_day = draft_of(SENT, as_of=datetime(2026, 2, 13, 23, 1, tzinfo=UTC), language=language)

    still_open = rf"(?:until|through|bis(?: zum)?|jusqu’au|hasta el) {re.escape(DAYS[language][0])}"
    assert re.search(still_open, text_of(last_minute))
    ended = re.search(still_open, text_of(next_day))
    assert ended is None or re.search(
        r"was valid|ran until|lief bis|galt bis|était valable|estuvo vigente", text_of(next_day)
    )


@every_language
@pytest.mark.parametrize(("starts_at", "clock"), [("2026-03-27T13:30:00Z", "14:30"), ("2026-03-30T13:30:00Z", "15:30")])
def test_a_time_is_told_on_the_readers_clock_on_both_sides_of_summer_time(draft_of, starts_at, clock, language):
    slot = {"slots": [{"id": "S-1", "kind": "call", "user_id": "U-1", "starts_at": starts_at,
                       "ends_at": starts_at.replace("13:30", "14:00")}]}  # fmt: skip

    quote = {"quotes": [{"id": "OF-90", "valid_until": "2026-06-30"}]}
    at = datetime(2026, 3, 26, 9, 0, tzinfo=UTC)

    draft = draft_of(SENT, quote, slot, as_of=at, type_="stage_step", language=language)

    (fact,) = [f for f in draft.facts if f.id == "S-1.starts_at"]
    assert clock in fact.display
    assert clock in text_of(draft)


@pytest.mark.parametrize("language", LANGUAGES[1:])
def test_another_language_keeps_the_facts_and_changes_their_dress(draft_of, language):
    english, other = draft_of(SENT), draft_of(SENT, language=language)

    told = [{i for s in draft.sentences for i in s.evidence if i.startswith("OF-90.")} for draft in (english, other)]
    assert told[0] == told[1] != set()
    assert DAYS[language][0] in text_of(other)
    assert MONTHS["en"] not in text_of(other)


def test_a_country_that_writes_numbers_otherwise_gets_the_same_values(draft_of):
    at = {"world": "linen", "deal": "D-31", "kind": "summary", "as_of": datetime(2026, 9, 10, 9, tzinfo=UTC)}
    austrian = draft_of(language="de", **at)
    swiss = draft_of({"companies": [{"id": "H-1", "country": "CH"}]}, language="de", **at)

    values = {f.id: f.value for f in austrian.facts if f.kind == "money"}
    assert values == {f.id: f.value for f in swiss.facts if f.kind == "money"}
