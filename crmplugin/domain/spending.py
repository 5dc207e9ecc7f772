"""What calls of a model may cost: who pays, and the rows that limit it. Money is the owner's, days are of UTC."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from types import MappingProxyType
from typing import Literal

Per = Literal["connection", "kind", "person", "team"]
PERS: tuple[Per, ...] = ("connection", "kind", "person", "team")
Over = Literal["template", "refuse"]
OVERS: tuple[Over, ...] = ("template", "refuse")
FOR = "for:"
"""Before a user's id: what no person asked for, about a record of theirs."""


@dataclass(frozen=True, slots=True)
class Payer:
    """For whom a model is called: the connection, the kind of draft, who asked for it (None: nobody did).

    `owner_id`: the CRM user whose record it is about.
    """

    connection: str
    kind: str
    asked_by: str | None = None
    owner_id: str | None = None


@dataclass(frozen=True, slots=True)
class Spender:
    """A payer as it is counted. `team`: they and whoever shares a team with them.

    `person` is `user:U-1`, or `for:U-1` where no person asked and the record is theirs, or empty.
    """

    connection: str
    kind: str
    person: str = ""
    team: frozenset[str] = frozenset()

    @property
    def asked(self) -> bool:
        """Whether it was a person who asked."""
        return bool(self.person) and not self.person.startswith(FOR)


@dataclass(frozen=True, slots=True)
class SpendingLimit:
    """The most of a day. `per` says for whom it is counted apart; empty: for all together.

    where: each key must be one of its values; what does not fit is not counted. A user's id is one of a single CRM, so
    persons and teams are counted on each connection. over: what happens with a text that would pass the limit.
    """

    per: tuple[Per, ...] = ()
    cost: Decimal | None = None
    calls: int | None = None
    where: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: MappingProxyType({}))
    over: Over = "template"

    def fits(self, spender: Spender) -> bool:
        """Whether this limit is about somebody. What no person asked for counts for no person."""
        if any(getattr(spender, key) not in allowed for key, allowed in self.where.items()):
            return False
        return not ("person" in self.per and not spender.asked or "team" in self.per and not spender.team)

    def whose(self, spender: Spender) -> str:
        """Whom it is counted for, in words."""
        team = ", ".join(sorted(member for member in spender.team if not member.startswith(FOR)))
        parts = [team if by == "team" else getattr(spender, by) for by in self.per]
        return " and ".join(parts) or "all together"
