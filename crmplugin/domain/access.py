"""Who asks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from crmplugin.domain.crm import Subject


@dataclass(frozen=True, slots=True)
class Principal:
    """Somebody who asks. `connections` None: all of them; `user_id`: the CRM user whose own deals count for a rep.

    `users`: the user by connection, for a person who is somebody in several CRMs. `only_about`: the one record that a
    pass without a user was made for.
    """

    name: str
    role: str
    user_id: str | None = None
    connections: tuple[str, ...] | None = None
    users: Mapping[str, str] | None = None
    only_about: Subject | None = None

    def sees(self, connection: str) -> bool:
        return self.connections is None or connection in self.connections

    @property
    def bound(self) -> bool:
        """Whether they see only some records of their connections."""
        return self.only_about is not None or self.role == "rep" and (bool(self.user_id) or self.users is not None)

    def user_on(self, connection: str) -> str | None:
        """Who they are on a connection. Ids of two CRMs have nothing to do with each other."""
        return self.user_id if self.users is None else self.users.get(connection)
