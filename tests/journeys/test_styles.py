"""Learning from people: what approvals teach, and what a sheet changes in the next draft."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from crmplugin.domain.draft import Draft, Sentence
from crmplugin.domain.style import StyleSheet
from crmplugin.errors import UsageError
from crmplugin.journeys.styles import change_sheet
from crmplugin.store.database import migrate, open_engine
from crmplugin.store.style_sheets import StyleStore
from crmplugin.writing.compose import compose
from crmplugin.writing.habits import fill_greeting, learn_sheet, skeletons
from crmplugin.writing.manner import describe_manner
from crmplugin.writing.render import render_body
from crmplugin.writing.template import TemplateWriter
from tests.writing.samples import make_brief

NOW = datetime(2026, 3, 11, 9, tzinfo=UTC)
KEY = ("U-1", "quote_follow_up", "en")


def make_draft_of(brief, sentences) -> Draft:
    """A draft with this text, as far as learning looks."""
    body = [s for s in sentences if s.role != "subject"]
    return Draft(
        id="d", connection="local", kind=brief.plan.kind, type=brief.plan.type, subject_of=brief.subject,
        status="approved", decision=brief.decision, as_of=NOW, created_at=NOW, to=brief.recipient, language="en",
        body=render_body(body, "email"), sentences=tuple(sentences), facts=brief.facts,
    )  # fmt: skip


@pytest.fixture
def styles(tmp_path) -> StyleStore:
    engine = open_engine(f"sqlite:///{tmp_path}/styles.db")
    migrate(engine)
    return StyleStore(engine)


def pair(brief, change=lambda texts: texts, greeting=None):
    """A draft as the template writer wrote it, and as a rep sent it."""
    sentences = compose(brief, TemplateWriter().write(brief))
    before = make_draft_of(brief, sentences)
    after = make_draft_of(brief, tuple(change(list(sentences))))
    return before, replace(after, body=f"{greeting}\n\n{after.body}") if greeting else after


def without_ask(sentences: list[Sentence]) -> list[Sentence]:
    kept = [s for s in sentences if s.role != "ask"]
    return [*kept[:-1], Sentence("Just shout if you would rather talk it through.", "claim"), kept[-1]]


def learned(**more) -> StyleSheet:
    brief = make_brief("quote_follow_up")
    pairs = [pair(brief, without_ask, **more) for _ in range(3)]
    sheet = learn_sheet(pairs, user_id="U-1", kind="follow_up", language="en")
    assert sheet is not None
    return sheet


def test_what_is_put_in_and_taken_out_again_and_again_is_a_habit():
    sheet = learned()

    assert sheet.phrases_used == ("Just shout if you would rather talk it through.",)
    assert len(sheet.phrases_removed) == 1
    assert sheet.drafts == 3
    assert 20 <= sheet.words <= 60


def test_one_edit_is_no_habit():
    assert learn_sheet([pair(make_brief("check_in"))], user_id="U-1", kind="follow_up", language="en") is None


def test_a_sheet_holds_no_fact():
    brief = make_brief("quote_follow_up")

    found = skeletons(pair(brief)[0])

    assert found
    for text in found:
        assert not any(
            f.display in text for f in brief.facts if f.kind in ("doc_id", "person", "org", "product", "money")
        )
        assert not any(c.isdigit() for c in text)


def test_the_form_of_a_greeting_is_learned_without_the_name():
    assert learned(greeting="Hi Dana,").greeting == "Hi {first},"


def test_a_greeting_needs_the_name_it_names():
    brief = make_brief("check_in")

    assert fill_greeting("Hi {first},", brief.recipient) == "Hi Dana,"
    assert fill_greeting("Hi {first},", replace(brief.recipient, first_name=None)) is None


def test_the_next_draft_greets_and_words_as_the_rep_does_and_says_the_same():
    plain = make_brief("quote_follow_up")
    said = [s for s in TemplateWriter().write(plain).sentences if s.role == "claim"]
    removed = next(iter(skeletons(make_draft_of(plain, (said[0],)))))
    styled = replace(
        plain, style=StyleSheet("U-1", "follow_up", "en", greeting="Hi {first},", phrases_removed=(removed,))
    )

    before, after = TemplateWriter().write(plain), TemplateWriter().write(styled)

    assert compose(styled, after)[1].text == "Hi Dana,"
    assert said[0].text not in {s.text for s in after.sentences}
    assert [s.evidence for s in before.sentences] == [s.evidence for s in after.sentences]


def test_a_model_is_told_of_the_habits_and_of_no_customer():
    brief = replace(make_brief("quote_follow_up"), style=learned(greeting="Hi Dana,"))

    told = describe_manner(brief)

    assert "they like: Just shout" in told
    assert "Dana" not in told


def test_a_sheet_can_be_read_changed_and_deleted(styles: StyleStore):
    change_sheet(styles, "local", KEY, {"words": 55, "phrases_used": ["Speak soon."]}, at=NOW)

    kept = styles.read("local", *KEY)
    assert (kept.words, kept.phrases_used, kept.edited) == (55, ("Speak soon.",), True)
    assert styles.list("other") == ()
    assert styles.erase("local", "U-1") == 1
    assert styles.read("local", *KEY) is None


@pytest.mark.parametrize("changes", [{"language": "de"}, {"facts": []}, {"greeting": "Hi {company},"}])
def test_a_sheet_takes_wording_only(styles: StyleStore, changes):
    with pytest.raises(UsageError):
        change_sheet(styles, "local", KEY, changes, at=NOW)


def test_the_command_shows_changes_and_deletes(crmplugin):
    made = crmplugin("style", "edit", "U-1", "follow_up", "en", "--words", "60", "--greeting", "Hi {first},", "--json")
    listed = crmplugin("style", "list", "--user", "U-1", "--json")

    assert (made.code, made.json["words"]) == (0, 60)
    assert [sheet["greeting"] for sheet in listed.json["items"]] == ["Hi {first},"]
    assert crmplugin("style", "erase", "U-1", "--json").json == {"erased": 1}
    assert crmplugin("style", "erase", "U-1").code == 1


@pytest.mark.parametrize("key", [("U-1", "follow_up", "e" * 17), ("", "follow_up", "en"), ("U-1", "k" * 33, "en")])
def test_sheet_of_a_key_that_is_too_long_or_empty_is_refused(styles, key):
    with pytest.raises(UsageError, match="user, kind and language have 1 to 255, 32, 16 letters"):
        change_sheet(styles, "local", key, {"words": 60}, at=NOW)
