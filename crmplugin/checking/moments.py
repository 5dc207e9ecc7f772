"""Judges dates and times: stated by a fact, right weekday, written so that nobody can misread it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, datetime

from crmplugin.checking.dates import When, weekday_names
from crmplugin.checking.fold import lower
from crmplugin.checking.lists import table, topic
from crmplugin.checking.scene import Finding, Scene
from crmplugin.checking.shelf import Dated, _zone
from crmplugin.checking.spans import Token
from crmplugin.domain.fact import Fact

_ZONE_IN_DISPLAY = re.compile(
    r"\b(?:UTC|GMT|[A-Z]{2,4}T|MESZ|MEZ|BST|[A-Z][a-z]+/[A-Z][A-Za-z_]+|[A-Z][a-z]+ time|[A-Z]\w+ Zeit)\b"
)
_UNCLEAR = frozenset({"relative", "weekday", "numeric", "iso"})
_YEAR = re.compile("[12][0-9]{3}")
_DAY_FIRST = re.compile(r"(?:1[3-9]|2[0-9]|3[01])[/-][0-9]{1,2}[/-][0-9]{4}")


def judge_date(token: Token, scene: Scene) -> Finding:
    """What is to be said of a date, a time, or a week, month or year."""
    when = token.when
    assert when is not None
    if when.clock is not None:
        return _time(token, when, scene)
    if when.span is not None:
        return _span(token, when, scene)
    return _day(token, when, scene)


def _day(token: Token, when: When, scene: Scene) -> Finding:
    hits = [d for day in when.days for d in scene.shelf.dated if d.day == day]
    if not hits:
        return _no_such_day(token, when, scene)
    facts = scene.first_cited([d.fact for d in hits if d.day == hits[0].day or d.fact.id in scene.cited_ids])
    day = next(d.day for d in hits if d.fact.id == facts[0].id)
    if when.weekday is not None and when.weekday != day.weekday():
        return scene.judge(token, "unsupported", f"{scene.shown(token)}: that day is another weekday.", facts=facts[:1])
    if "proposal" in scene.trigger_kinds and not scene.is_internal and not _may_propose(hits, scene):
        return scene.judge(token, "unsupported", f"{scene.shown(token)} is proposed, but no free slot says so.")
    if when.form in _UNCLEAR and not scene.is_internal and not _one_reading(token, when, scene):
        reason = f"{scene.shown(token)} can be misread; the date is {facts[0].display}."
        return scene.judge(token, "misformatted", reason, facts=facts[:1], mend=_absolute(token, when, facts, scene))
    return scene.judge(token, "supported", facts=facts[:1])


def _one_reading(token: Token, when: When, scene: Scene) -> bool:
    """ "31/08/2026" where days come first: nobody can take it for another day."""
    if when.form != "numeric" or scene.reader.words == "en" or len(when.days) != 1:
        return False
    return _DAY_FIRST.fullmatch(scene.text_of(token).strip()) is not None


def _may_propose(hits: Sequence[Dated], scene: Scene) -> bool:
    """A time may be proposed from a slot, or repeated from a fact that the sentence cites."""
    return any(d.fact.kind == "slot" or d.fact.id.startswith("SLOT") or d.fact.id in scene.cited_ids for d in hits)


def _absolute(token: Token, when: When, facts: Sequence[Fact], scene: Scene) -> str | None:
    """The fact's display in place of the words; a word such as "tomorrow" needs its "on"."""
    shown = {f.display for f in facts}
    if len(shown) != 1:
        return None
    display = shown.pop()
    words = table("dates", scene.reader.words)
    before = scene.folded.lower[: token.start].rstrip().rsplit(" ", 1)[-1]
    if when.form != "relative" or before in words["prepositions"]:
        return display
    return str(words["on"]).format(display)


def _no_such_day(token: Token, when: When, scene: Scene) -> Finding:
    far = [d.fact for d in scene.shelf.dated if d.day in when.far]
    if far:
        reason = f"{scene.shown(token)} needs its year: {far[0].display}."
        mend = far[0].display if len({f.display for f in far}) == 1 else None
        return scene.judge(token, "misformatted", reason, facts=far[:1], mend=mend)
    if scene.is_internal and when.form == "relative":
        return scene.judge(token, "supported")
    facts = _said(token, scene)
    if facts and when.form != "relative":
        return scene.judge(token, "supported", facts=facts)
    hidden = [d.fact for d in scene.shelf.hidden_dated if d.day in when.days[:1]]
    if hidden and when.form != "relative":
        return scene.judge(token, "leak", f"{scene.shown(token)} is an internal date.", facts=hidden[:1])
    if not when.days and not when.far:
        return scene.judge(token, "unsupported", f"{scene.shown(token)} is no day of the calendar.")
    return scene.judge(token, "unsupported", f"No fact states the date {scene.shown(token)}.")


def _said(token: Token, scene: Scene) -> list[Fact]:
    """A trusted fact with these very words in it, or the customer's words where they are repeated."""
    words = lower(scene.text_of(token)).strip(" .,")
    rows = [*scene.shelf.prose, *(scene.shelf.quoted if scene.quotes_customer else ())]
    if token.when is not None and token.when.form == "weekday":
        return _same_weekday(token.when, rows, scene)
    if len(words) < 4:
        return []
    wanted = re.compile(rf"(?<!\w){re.escape(words)}(?!\w)")
    return [f for f, text in rows if f.kind not in ("date", "datetime", "slot") and wanted.search(text)][:1]


def _spans(when: When, scene: Scene) -> list[tuple[date, date]]:
    """The span; for a month without its year also that month of the year before and after, if less than a year away."""
    assert when.span is not None
    first, last = when.span
    if when.form != "span" or (last - first).days > 31 or _YEAR.search(scene.folded.text, when.start, when.end):
        return [when.span]
    others = [(first.replace(year=first.year + n), n) for n in (-1, 1)]
    near = [f for f, _ in others if abs((f - scene.reader.send_on).days) < 365]
    return [when.span, *((f, f + (last - first)) for f in near)]


def _same_weekday(when: When, rows: Sequence[tuple[Fact, str]], scene: Scene) -> list[Fact]:
    """A text that names the same day of the week, in the text's language or in English ("on a Saturday")."""
    days = {name for lang in {scene.reader.words, "en"} for name, n in weekday_names(lang).items() if n == when.weekday}
    wanted = re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, days))})s?(?!\w)")
    return [f for f, text in rows if f.kind not in ("date", "datetime", "slot") and wanted.search(text)][:1]


def _span(token: Token, when: When, scene: Scene) -> Finding:
    assert when.span is not None
    facts = scene.first_cited(
        [d.fact for d in scene.shelf.dated if any(a <= d.day <= b for a, b in _spans(when, scene))]
    )
    if not facts:
        said = _said(token, scene)
        if said or (scene.is_internal and when.form == "relative"):
            return scene.judge(token, "supported", facts=said)
        return scene.judge(token, "unsupported", f"No fact lies in {scene.shown(token)}.")
    if when.form != "relative" or scene.is_internal:
        return scene.judge(token, "supported", facts=facts[:1])
    mend = _absolute(token, when, facts, scene)
    return scene.judge(token, "misformatted", f"{scene.shown(token)} is not a date.", facts=facts[:1], mend=mend)


def _time(token: Token, when: When, scene: Scene) -> Finding:
    days = {d for t in scene.tokens if t.when and t.when.clock is None for d in t.when.days}
    hits = [d for d in scene.shelf.dated if d.at is not None and _same_clock(d, when, scene)]
    right_day = [d for d in hits if not days or d.day in days or _local_day(d, when) in days]
    if not right_day:
        said = _said(token, scene)
        if said:
            return scene.judge(token, "supported", facts=said)
        return scene.judge(token, "unsupported", f"No fact states the time {scene.shown(token)}.")
    facts = scene.first_cited([d.fact for d in right_day])
    zone = _ZONE_IN_DISPLAY.search(facts[0].display)
    if zone and when.zone is None and zone[0] not in scene.folded.text and not scene.is_internal:
        reason = f"{scene.shown(token)} needs its zone: {facts[0].display}."
        return scene.judge(token, "misformatted", reason, facts=facts[:1], mend=_with_zone(scene, token, zone[0]))
    return scene.judge(token, "supported", facts=facts[:1])


def _with_zone(scene: Scene, token: Token, zone: str) -> str:
    return f"{scene.text_of(token)} {zone}"


def _same_clock(dated: Dated, when: When, scene: Scene) -> bool:
    """The clock in the stated zone; without one in the reader's, or as the display shows it."""
    assert dated.at is not None
    if when.zone:
        return _clock(dated.at, when.zone, scene) == when.clock
    return _clock(dated.at, scene.shelf.zone, scene) == when.clock or _shown_clock(dated.fact.display, when)


def _clock(at: datetime, zone: str, scene: Scene) -> tuple[int, int] | None:
    name = _zone_name(zone) or scene.shelf.zone
    if at.tzinfo is None:
        return at.hour, at.minute
    local = at.astimezone(_zone(name))
    return local.hour, local.minute


def _shown_clock(display: str, when: When) -> bool:
    """Whether the fact's own display shows this clock."""
    assert when.clock is not None
    hour, minute = when.clock
    return re.search(rf"(?<!\d)0?{hour}[:.h]{minute:02d}(?!\d)", display) is not None


def _local_day(dated: Dated, when: When) -> date | None:
    if dated.at is None or dated.at.tzinfo is None:
        return None
    name = _zone_name(when.zone or "")
    return dated.at.astimezone(_zone(name)).date() if name else dated.at.date()


def _zone_name(written: str) -> str | None:
    """The IANA name of a zone as people write it: CET, Europe/London, London time."""
    zones: dict[str, str] = topic("dates")["zones"]
    if "/" in written or written == "UTC":
        return written
    return next((zones[word] for word in (written, *written.split()) if word in zones), None)
