"""What approved drafts show of a rep's habits: length, greeting, sentences put in and taken out. Facts become `…`.

Pure. A habit is what was seen at least twice; what holds a number, a name or a link is none.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from statistics import median

from crmplugin.domain.brief import Recipient
from crmplugin.domain.draft import Draft
from crmplugin.domain.style import StyleSheet
from crmplugin.writing.bank import MARK
from crmplugin.writing.greeting import words_of

SEEN = 2
"""How often something must be seen to be a habit."""
MOST_PHRASES = 12
LONGEST = 160
SPOKEN = frozenset({"context", "claim", "ask", "close"})
NAMED = frozenset({"person", "org", "product", "doc_id", "date", "datetime", "slot", "money", "quantity", "duration"})
GAP = "…"
SHORT_SHARE = 0.7
"""Below this share of our length a rep likes it short."""


def learn_sheet(
    pairs: Sequence[tuple[Draft, Draft]], *, user_id: str, kind: str, language: str
) -> StyleSheet | None:  # fmt: skip
    """The sheet from drafts as they were first written and as they were approved; None when there are too few."""
    if len(pairs) < SEEN:
        return None
    changes = [(skeletons(before), skeletons(after)) for before, after in pairs]
    return StyleSheet(
        user_id=user_id,
        kind=kind,
        language=language,
        drafts=len(pairs),
        words=round(median(_words(after) for _, after in pairs)),
        greeting=_usual(_greeting(before, after) for before, after in pairs),
        phrases_used=_habits(after - before for before, after in changes),
        phrases_removed=_habits(before - after for before, after in changes),
    )


def skeletons(draft: Draft) -> frozenset[str]:
    """The sentences of a draft without their facts; those that still tell something of one customer are left out."""
    said = [s for s in draft.sentences if s.role in SPOKEN and s.action != "removed" and not _is_greeting(s.text)]
    found = (_skeleton(sentence.text, draft) for sentence in said)
    return frozenset(text for text in found if text)


def _skeleton(text: str, draft: Draft) -> str | None:
    shown = {f.display for f in draft.facts if f.kind in NAMED} | {f.value for f in draft.facts if f.kind in NAMED}
    shown |= {part for f in draft.facts if f.kind == "person" for part in f.value.split()}
    shown |= {f.display for f in draft.facts if f.kind in ("text", "claim", "quote_text", "count")}
    for display in sorted((s for s in shown if len(s) > 1), key=len, reverse=True):
        text = re.sub(rf"(?<!\w){re.escape(display)}(?!\w)", GAP, text)
    text = text.replace("\u202f", " ").replace("\u00a0", " ")
    foreign = re.search(r"\d|@|https?:", text) or len(text) > LONGEST or len(re.findall(r"\w{2,}", text)) < 2
    return None if foreign else text


def _is_greeting(text: str) -> bool:
    return text.rstrip().endswith((",", ":")) and len(text.split()) <= 6


def skeleton_of_variant(variant: str) -> str:
    """A wording of the bank as a skeleton, to be compared with what a rep takes out."""
    return MARK.sub(lambda mark: mark["other"] or GAP, variant)


def _words(draft: Draft) -> int:
    said = [s for s in draft.sentences if s.role in SPOKEN and s.action != "removed" and not _is_greeting(s.text)]
    return sum(len(s.text.split()) for s in said)


def _habits(found: Iterable[frozenset[str]]) -> tuple[str, ...]:
    counts = Counter(text for texts in found for text in texts)
    return tuple(text for text, n in counts.most_common(MOST_PHRASES) if n >= SEEN)


def _usual(found: Iterable[str | None]) -> str | None:
    text, n = next(iter(Counter(found).most_common(1)), (None, 0))
    return text if n >= SEEN else None


def _greeting(before: Draft, after: Draft) -> str | None:
    """The form of the first line when the rep changed it, with marks for the name; None for one that tells a gender."""
    first, was = ((d.body or "").split("\n", 1)[0].strip() for d in (after, before))
    if first == was or not _is_greeting(first) or after.to is None:
        return None
    for mark, part in (("{first}", after.to.first_name), ("{last}", after.to.last_name)):
        if part:
            first = re.sub(rf"(?<!\w){re.escape(part)}(?!\w)", mark, first)
    titles = words_of(after.language or "en").get("salutations", ())
    return None if any(word in titles for word in first.replace(",", "").replace(":", "").split()) else first


def fill_greeting(form: str, to: Recipient | None) -> str | None:
    """The greeting for one person, or None when a name that the form needs is not on record."""
    parts = {"{first}": to.first_name if to else None, "{last}": to.last_name if to else None}
    for mark, part in parts.items():
        if mark in form and not part:
            return None
        form = form.replace(mark, part or "")
    return form


def likes_it_short(style: StyleSheet | None, planned: int) -> bool:
    """Whether the rep writes clearly less than the plan would."""
    return bool(style and style.words and style.words < SHORT_SHARE * planned)
