"""Whom a rep sees: their own, their team's where the settings say so, and what the CRM itself says."""

from __future__ import annotations

from dataclasses import replace

import pytest

from crmplugin.domain.crm import Subject
from crmplugin.errors import SettingsError
from crmplugin.journeys import visibility
from crmplugin.settings import load_settings
from crmplugin.store.access import Principal
from tests.access import elsewhere
from tests.access.conftest import HERE, THERE

OWN, OTHERS = Subject("deal", "D-1"), Subject("deal", "D-2")
REP = Principal("user:U-1", "rep", "U-1", (HERE, THERE))


@pytest.fixture
def desk(office):
    visibility._answers.clear()
    elsewhere.RIGHTS.clear()
    yield office.desk
    elsewhere.RIGHTS.clear()
    visibility._answers.clear()


def with_team(desk, *teams):
    here = replace(desk.settings.connections[HERE], rep_sees="team", teams=teams)
    settings = replace(desk.settings, connections={**desk.settings.connections, HERE: here})
    return replace(desk, settings=settings)


def sees(desk, who, connection, subject):
    from crmplugin.journeys.ask import owner_of

    return visibility.may_see(desk, who, connection, subject, owner_of(desk, connection, subject))


def test_rep_sees_their_own_and_not_a_colleagues(desk):
    assert sees(desk, REP, HERE, OWN)
    assert not sees(desk, REP, HERE, OTHERS)


def test_rep_sees_the_teams_where_settings_say_so(desk):
    assert sees(with_team(desk, ("U-1", "U-2")), REP, HERE, OTHERS)
    assert not sees(with_team(desk, ("U-1",), ("U-2", "U-3")), REP, HERE, OTHERS)
    assert not sees(with_team(desk, ("U-1", "U-2")), REP, THERE, OTHERS)


def test_the_crms_word_counts_for_what_is_not_the_reps_own(desk):
    elsewhere.RIGHTS |= {("U-1", "D-2"): True, ("U-1", "D-1"): False}

    assert sees(desk, REP, THERE, OTHERS)
    assert sees(desk, REP, THERE, OWN)
    assert not sees(desk, REP, HERE, OTHERS)


def test_crm_may_forbid_what_the_team_rule_would_allow(desk):
    there = replace(desk.settings.connections[THERE], rep_sees="team", teams=(("U-1", "U-2"),))
    desk = replace(desk, settings=replace(desk.settings, connections={**desk.settings.connections, THERE: there}))
    elsewhere.RIGHTS[("U-1", "D-2")] = False

    assert not sees(desk, REP, THERE, OTHERS)


def test_person_in_two_crms_is_somebody_else_in_each(desk):
    who = Principal("person:ann", "rep", None, (HERE, THERE), users={HERE: "U-2", THERE: "U-1"})

    assert [sees(desk, who, c, s) for c in (HERE, THERE) for s in (OWN, OTHERS)] == [False, True, True, False]
    assert visibility.owners_seen(desk, who) == {HERE: {"U-2"}, THERE: {"U-1"}}


def test_person_without_a_user_on_a_connection_sees_nothing_there(desk):
    who = Principal("person:ann", "rep", None, (HERE, THERE), users={HERE: "U-1"})

    assert not sees(desk, who, THERE, OWN)
    assert visibility.owners_seen(desk, who) == {HERE: {"U-1"}}


@pytest.mark.parametrize(
    ("toml", "sentence"),
    [
        ('rep_sees = "region"', 'rep_sees is "region": expected one of owner, team'),
        ('teams = ["U-1"]', "expected lists of user ids"),
    ],
)
def test_wrong_settings_are_named(tmp_path, toml, sentence):
    (tmp_path / "crmplugin.toml").write_text(f"[connections.local]\n{toml}\n")

    with pytest.raises(SettingsError, match=sentence):
        load_settings({"CRMPLUGIN_CONFIG": str(tmp_path / "crmplugin.toml"), "CRMPLUGIN_VAR": str(tmp_path)})
