"""What one Odoo has installed and lets the bot read: trees are cut to it. Asked beside each other, kept for an hour."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from connectors.odoo.client import OdooClient
from connectors.odoo.trees import MODELS, ROOTS, Tree
from crmplugin.errors import CrmRefused

KEPT_FOR = timedelta(hours=1)
NEEDED = ("crm.lead", "res.partner", "mail.message")


@dataclass(frozen=True)
class Schema:
    """Model -> its fields as Odoo describes them; a model that cannot be read is not in it. `uid` is the bot's own."""

    models: Mapping[str, Mapping[str, Mapping[str, Any]]] = field(default_factory=dict)
    uid: int = 0

    def has(self, model: str) -> bool:
        return model in self.models

    def cut(self, model: str, tree: Tree) -> Tree:
        """The tree without what is not there. A branch into a model that cannot be read goes whole."""
        known = self.models.get(model, {})
        kept: Tree = {}
        for name, branch in tree.items():
            if name not in known:
                continue
            if not branch:
                kept[name] = {}
                continue
            related = str(known[name].get("relation") or "")
            if self.has(related):
                kept[name] = {**branch, "fields": self.cut(related, branch["fields"])}
        return kept

    def root(self, model: str) -> Tree:
        return self.cut(model, ROOTS[model])


class SchemaBook:
    """The schema as it was read last."""

    def __init__(self, client: OdooClient, clock: Callable[[], datetime], learned: Callable[[int], None]) -> None:
        self._client, self._clock, self._learned = client, clock, learned
        self._lock = threading.Lock()
        self._read_at: datetime | None = None
        self._schema = Schema()

    def read(self) -> Schema:
        """The schema, asked for now if it is not known. Raises CrmRefused where the bot cannot read deals."""
        with self._lock:
            if self._read_at is None or self._clock() - self._read_at > KEPT_FOR:
                self._schema = self._ask()
                self._read_at = self._clock()
            return self._schema

    def forget(self) -> None:
        """The next read asks again: a module was installed or a right taken away."""
        self._read_at = None

    def _ask(self) -> Schema:
        client = self._client
        about, *answers = client.transport.together(
            lambda: client.call("res.users", "context_get"), *[lambda m=model: self._model(m) for model in MODELS]
        )
        schema = Schema({m: found for m, found in zip(MODELS, answers, strict=True) if found}, int(about["uid"]))
        missing = [model for model in NEEDED if not schema.has(model)]
        if missing:
            raise CrmRefused(
                f"odoo: the bot cannot read {', '.join(missing)}: install CRM, and give the bot the group "
                "Sales / User: All Documents"
            )
        self._learned(schema.uid)
        return schema

    def _model(self, model: str) -> Mapping[str, Any]:
        return self._client.fields(model) if self._client.may(model) else {}
