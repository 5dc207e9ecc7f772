"""What a draft was made of, kept while it is made, and the same draft made again from that.

Kept are the brief, the answers of the model, and which names of the connection stood in the texts: with these the rest
is code, so the template writer's drafts come out the same to the byte, and a model's too, without asking it again.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any, NoReturn

from crmplugin import __version__
from crmplugin.domain.brief import Brief, Request
from crmplugin.domain.crm import Contact, Context, Subject
from crmplugin.domain.draft import Draft, Report, Written
from crmplugin.errors import ModelError, ModelUnavailable, ModelUnusable
from crmplugin.journeys.draft import Tools, make_draft
from crmplugin.journeys.present import from_json, to_json
from crmplugin.ports import Emit, Name, NameIndex, Step, plain_step, silent
from crmplugin.store.drafts_told import Kept

ANSWERS: Mapping[str, type] = {"brief": Brief, "write": Written, "repair": Written}
"""Steps whose answers are kept, and what they are."""
OF_A_DRAFT = ("id", "connection", "kind", "subject_of", "origin", "created_by", "event", "created_at")
"""What a draft is called; none of it comes from its brief."""
Found = Sequence[tuple[int, int, Name]]


class Recording:
    """Wraps the tools and the step of one draft."""

    def __init__(self, tools: Tools, step: Step = plain_step) -> None:
        self._tools, self._step = tools, step
        self._answers: dict[str, list[Mapping[str, Any]]] = {}
        self._names: dict[str, list[Any]] = {}
        self._contacts: tuple[Contact, ...] = ()
        self._watched: _Watched | None = None

    @property
    def tools(self) -> Tools:
        """The tools, watched."""
        return replace(self._tools, read_context=self._read, names=self._index)

    def step(self, name: str, fn: Callable[..., Any], *args: Any) -> Any:
        """The step, its answer kept; a model's failure too."""
        try:
            answer = self._step(name, fn, *args)
        except ModelError as error:
            self._keep(name, {"failed": str(error), "retryable": error.retryable})
            raise
        self._keep(name, {"value": answer})  # as JSON later: a brief is large, and a model may take a minute
        return answer

    def kept(self, draft: Draft) -> Kept:
        """What is kept for the audit of the draft that was made, and whom it is about."""
        model = {"set": self._tools.model is not None, "why_not": self._tools.why_no_model}
        draft_of = {name: to_json(getattr(draft, name)) for name in OF_A_DRAFT}
        content = {"draft": draft_of, "answers": to_json(self._answers), "names": self._names, "model": model}
        return Kept(content, _named(self._contacts, str(content)), versions())

    def _keep(self, name: str, answer: Mapping[str, Any]) -> None:
        if name in ANSWERS:
            self._answers.setdefault(name, []).append(answer)

    def _read(self, subject: Subject) -> Context:
        context = self._tools.read_context(subject)
        self._contacts = context.contacts
        return context

    def _index(self) -> NameIndex:
        if self._watched is None:  # one draft is checked against the names of one moment
            self._watched = _Watched(self._tools.names(), self._names)
        return self._watched


class _Watched:
    """An index of names that keeps what it found."""

    def __init__(self, index: NameIndex, kept: dict[str, list[Any]]) -> None:
        self._index, self._kept = index, kept

    def find(self, text: str) -> Found:
        found = self._index.find(text)
        if found:
            self._kept[text] = to_json(found)
        return found


class _Remembered:
    """An index of names that finds what was found then."""

    def __init__(self, kept: Mapping[str, Any]) -> None:
        self._kept = kept

    def find(self, text: str) -> Found:
        return from_json(tuple[tuple[int, int, Name], ...], self._kept.get(text, []))


class _NoModel:
    """Stands where a model stood; its answers were kept, so it is never asked."""

    kind = "model"

    def write(self, brief: Brief, *, emit: Emit = silent) -> NoReturn:
        raise ModelUnusable("the model's answer was not kept")

    def repair(self, brief: Brief, written: Written, report: Report, *, emit: Emit = silent) -> NoReturn:
        raise ModelUnusable("the model's answer was not kept")


def make_again(content: Mapping[str, Any], tools: Tools) -> Draft:
    """The draft once more from what was kept of it."""
    answers = {name: iter(kept) for name, kept in content["answers"].items()}
    remembered = _Remembered(content["names"])
    model = _NoModel() if content["model"]["set"] else None
    of, created_at = content["draft"], datetime.fromisoformat(content["draft"]["created_at"])
    subject = Subject(of["subject_of"]["type"], of["subject_of"]["id"])
    again = make_draft(
        Request(of["connection"], of["kind"], subject),
        tools=replace(tools, names=lambda: remembered, model=model, why_no_model=content["model"]["why_not"]),
        draft_id=of["id"],
        now=created_at,
        step=lambda name, fn, *args: _answer(name, answers, fn, args),
        origin=of["origin"],
        created_by=of["created_by"],
        event=of["event"],
    )
    return replace(again, created_at=created_at)


def _answer(name: str, answers: Mapping[str, Any], fn: Callable[..., Any], args: tuple[Any, ...]) -> Any:
    kept = next(answers[name], None) if name in answers else None
    if kept is None:
        return fn(*args)
    if "failed" in kept:
        raise (ModelUnavailable if kept["retryable"] else ModelUnusable)(kept["failed"])
    return from_json(ANSWERS[name], kept["value"])


def _named(contacts: Sequence[Contact], text: str) -> frozenset[str]:
    """The contacts whose id, name, address or number stands in a text."""
    folded = text.casefold()
    words = frozenset(re.findall(r"[^\W_]+", folded))
    return frozenset(contact.id for contact in contacts if any(_stands(t, folded, words) for t in _marks(contact)))


def _marks(contact: Contact) -> list[str]:
    marks = [contact.id, contact.last_name, contact.email, contact.phone, contact.postal_address]
    return [mark.casefold() for mark in marks if mark]


def _stands(mark: str, text: str, words: frozenset[str]) -> bool:
    # The words rule most out before the text is searched: an account may have thousands of contacts.
    return all(word in words for word in re.findall(r"[^\W_]+", mark)) and mark in text


@cache
def versions() -> dict[str, str]:
    """Versions of the program and of the words that it writes with."""
    return {"program": __version__, "words": _digest(files("prompts"))}


def _digest(folder: Traversable) -> str:
    whole = hashlib.sha256()
    for path in sorted(folder.iterdir(), key=lambda p: p.name):
        if path.is_dir():
            whole.update(f"{path.name}/{_digest(path)}".encode())
        elif path.name.endswith((".toml", ".md", ".txt")):
            whole.update(f"{path.name}\0".encode() + path.read_bytes())
    return whole.hexdigest()
