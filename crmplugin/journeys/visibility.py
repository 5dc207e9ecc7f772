"""Which records and drafts somebody may see: their connections, and for a rep what the CRM lets that rep see.

A rep sees what is theirs, or their team's where the connection says so (`rep_sees`); where the CRM itself can be asked
(`Connector.may_see`), its answer decides about everything that is not the rep's own. A rep's token without a user is a
program's: it sees all of its connections. A pass without a user sees the record that it was made for.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from typing import Any

from crmplugin.domain.crm import Subject
from crmplugin.errors import CrmPluginError, NotFound
from crmplugin.journeys.ask import COLLECTIONS, owner_of
from crmplugin.journeys.desk import Desk
from crmplugin.store.access import Principal
from crmplugin.store.drafts import DraftRow, SummaryRow

REMEMBERED_S = 60.0
"""How long an answer of the CRM about one user and record holds."""
MOST_REMEMBERED = 10_000


def check_connection(desk: Desk, who: Principal, name: str) -> None:
    """Raises NotFound for a connection that is not there, or not this caller's to see."""
    if name not in desk.settings.connections or not who.sees(name):
        raise NotFound(f"no connection {name!r}; see `crmplugin connections list`")


def check_subject(desk: Desk, who: Principal, connection: str, subject: Subject) -> str | None:
    """The owner of a record that the caller may see. Raises NotFound for any other, as if it were not there."""
    owner = owner_of(desk, connection, subject)
    if not may_see(desk, who, connection, subject, owner):
        raise NotFound(f"no {subject.type} {subject.id} of yours on {connection}")
    return owner


def check_draft(desk: Desk, who: Principal, row: DraftRow) -> DraftRow:
    """The draft, if the caller may see it. Raises NotFound as for one that is not there."""
    if not is_visible(desk, who, row):
        raise NotFound(f"there is no draft {row.id} of yours")
    return row


def is_visible(desk: Desk, who: Principal, row: DraftRow | SummaryRow) -> bool:
    """Whether the caller may see a draft. Whoever owns its record now counts, not who did when it was written."""
    if not who.sees(row.connection):
        return False
    if not who.bound:
        return True
    subject = Subject(row.subject_type, row.subject_id)  # type: ignore[arg-type]
    owner = owner_of(desk, row.connection, subject) or getattr(row, "owner_id", None)
    return may_see(desk, who, row.connection, subject, owner)


def may_see(desk: Desk, who: Principal, connection: str, subject: Subject, owner_id: str | None) -> bool:
    """Whether the caller may see a record of a connection that they may use."""
    if who.only_about is not None:
        return _hangs_on(desk, connection, subject, who.only_about)
    user = who.user_on(connection)
    if not who.bound or user == owner_id is not None:
        return True
    if user is None:
        return False
    said = _crm_says(desk, connection, user, subject)
    return said if said is not None else owner_id in colleagues(desk, connection, user)


def owners_seen(desk: Desk, who: Principal) -> Mapping[str, frozenset[str]] | None:
    """Whose drafts a caller's lists are bound to, by connection; None: everybody's on the connections they may use."""
    if not who.bound or who.only_about is not None:
        return None
    users = {name: who.user_on(name) for name in desk.settings.connections if who.sees(name)}
    return {name: colleagues(desk, name, user) for name, user in users.items() if user is not None}


def colleagues(desk: Desk, connection: str, user_id: str) -> frozenset[str]:
    """The users whose records a rep sees beside their own, themselves included."""
    settings = desk.settings.connections[connection]
    if settings.rep_sees != "team":
        return frozenset({user_id})
    return frozenset({user_id}.union(*(team for team in settings.teams if user_id in team)))


def _hangs_on(desk: Desk, connection: str, subject: Subject, root: Subject) -> bool:
    """Whether a record is another one or belongs to it: a mail of the deal, a deal of the company."""
    if subject == root:
        return True
    record: Any = desk.records.read_one(connection, COLLECTIONS[subject.type], subject.id)
    named = getattr(record, f"{root.type}_id", None), *(getattr(record, f"{root.type}_ids", None) or ())
    return root.id in named


_answers: dict[tuple[Any, ...], tuple[float, bool | None]] = {}
_answering = threading.Lock()


def _crm_says(desk: Desk, connection: str, user_id: str, subject: Subject) -> bool | None:
    """The CRM's own word, remembered for a minute. A CRM that cannot be asked now says nothing new: not seen."""
    key = (id(desk), connection, user_id, subject.type, subject.id)
    now = time.monotonic()
    with _answering:
        kept = _answers.get(key)
    if kept is not None and kept[0] > now:
        return kept[1]
    try:
        said = desk.connector(connection).may_see(user_id, subject)
    except CrmPluginError:
        return False
    with _answering:
        if len(_answers) >= MOST_REMEMBERED:
            _answers.clear()
        _answers[key] = (now + REMEMBERED_S, said)
    return said
