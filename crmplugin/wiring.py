"""Who is who: the one place that joins settings, store, connectors, writers and checker."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from crmplugin.brief.addresses import normalise_email, normalise_phone
from crmplugin.brief.touches import with_touches
from crmplugin.checking.check import check_text
from crmplugin.checking.injection import scan_text
from crmplugin.checking.names import build_index
from crmplugin.domain.crm import Context, Subject
from crmplugin.domain.spending import Payer
from crmplugin.errors import NotFound
from crmplugin.journeys.draft import Tools
from crmplugin.journeys.spending import spender_of
from crmplugin.local_secrets import VAULT_KEY_FILE, read_or_make_secret
from crmplugin.ports import Connector, NameIndex, Population, Services, Writer
from crmplugin.settings import ConnectionSettings, Settings, load_settings
from crmplugin.store.access import AccessStore
from crmplugin.store.account_fits import FitStore
from crmplugin.store.audit import AuditLog
from crmplugin.store.campaigns import CampaignStore
from crmplugin.store.database import migrate, open_engine
from crmplugin.store.erase import Eraser
from crmplugin.store.limits import SharedLimiter, open_limiter
from crmplugin.store.persons import PersonSeals
from crmplugin.store.records import RecordStore
from crmplugin.store.sealing import Seal, split_keys
from crmplugin.store.spending import SpendingBook
from crmplugin.store.style_sheets import StyleStore
from crmplugin.store.suppressions import Suppressions
from crmplugin.store.vault import CredentialVault
from crmplugin.writing.template import TemplateWriter

if TYPE_CHECKING:
    from crmplugin.journeys.import_records import ImportReport
    from crmplugin.work.office import Office
    from crmplugin.writing.model import ModelWriter

NO_MODEL = "CRMPLUGIN_MODEL is not set, so the template writer writes"


class Assistant:
    """Everything a process works with, over one database. Close it when done."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.engine = open_engine(settings.database_url)
        migrate(self.engine)
        self.records = RecordStore(self.engine, normalise_address=_normalise_address)
        self.fits = FitStore(self.engine)
        self.styles = StyleStore(self.engine)
        self._names: dict[str, tuple[object, NameIndex]] = {}
        self._populations: dict[str, tuple[object, Population]] = {}
        self._lock = threading.Lock()

    @property
    def connections(self) -> Mapping[str, ConnectionSettings]:
        return self.settings.connections

    def connection(self, name: str) -> ConnectionSettings:
        """The settings of one connection. Raises NotFound with the names that exist."""
        if name not in self.connections:
            raise NotFound(f"no connection {name!r}: the settings have {', '.join(sorted(self.connections))}")
        return self.connections[name]

    def connector(self, name: str) -> Connector:
        """The connector of a connection, made by the registry."""
        from connectors.registry import open_connector

        return open_connector(self.connection(name), records=self.records, services=self.services)

    @cached_property
    def services(self) -> Services:
        """What connectors borrow: the limits and credentials that all processes share."""
        return Services(self.limiter, self.vault)

    @cached_property
    def limiter(self) -> SharedLimiter:
        """How often CRMs and models may be called, over all processes on this database."""
        return open_limiter(self.engine, self.settings.var)

    def seller_zone(self, name: str) -> str | None:
        """IANA zone of the connection's seller, if it is on record."""
        return self.records.seller(name).timezone

    def tools(self, name: str) -> Tools:
        """What drafting over this connection uses."""
        return Tools(
            read_context=self._reader(name),
            population=lambda: self._population(name),
            template=self.template_writer,
            learned=lambda account: self.fits.read_account(name, account),
            check=check_text,
            names=lambda: self._name_index(name),
            scan=scan_text,
            model=self.model_writer,
            pays=self._model_paid_by,
            why_no_model=NO_MODEL,
            style=lambda user, kind, language: self.styles.read(name, user, kind, language),
        )

    def _with_touches(self, name: str, context: Context) -> Context:
        """The context with what left through campaigns, which the caps count."""
        return with_touches(context, lambda addresses: self.campaigns.touches_of(name, addresses))

    @cached_property
    def campaigns(self) -> CampaignStore:
        return CampaignStore(self.engine)

    def _reader(self, name: str) -> Callable[[Subject], Context]:
        """Reads one subject whole: the CRM's records, what the owner laid down, and what left through campaigns."""
        connector = self.connector(name)

        def read(subject: Subject) -> Context:
            context = connector.read_context(subject)
            if connector.crm != "local":  # there its records are the store's, the owner's among them
                context = self.records.join_owner(name, context)
            return self.suppressions.apply(self._with_touches(name, context))

        return read

    @cached_property
    def vault(self) -> CredentialVault:
        """Credentials that connectors renew by themselves."""
        return CredentialVault(self.engine, self.seal)

    @cached_property
    def audit(self) -> AuditLog:
        """The chain of what happened."""
        return AuditLog(self.engine, self._persons, self.settings.signing_key)

    @cached_property
    def eraser(self) -> Eraser:
        """Takes persons out of the store."""
        return Eraser(self.engine, self.audit, self._persons, self.suppressions)

    @cached_property
    def suppressions(self) -> Suppressions:
        """Addresses that nobody may promote to."""
        return Suppressions(self.engine, self.settings.signing_key, _normalise_address)

    @cached_property
    def _persons(self) -> PersonSeals:
        return PersonSeals(self.seal, self.settings.signing_key)

    @cached_property
    def seal(self) -> Seal:
        """Seals and opens with the keys of this installation."""
        settings, file = self.settings, self.settings.var / VAULT_KEY_FILE
        return Seal(lambda: split_keys(settings.vault_key or read_or_make_secret(file)))

    @cached_property
    def template_writer(self) -> Writer:
        return TemplateWriter()

    @cached_property
    def model_writer(self) -> ModelWriter | None:
        """The model writer, or None when no model is set."""
        model = self.settings.model
        if not model.name:
            return None
        from crmplugin.llm.chat import open_chat
        from crmplugin.writing.model import ModelWriter

        chat = open_chat(model, self.limiter, self.spending)
        return ModelWriter(chat, input_price=model.input_price, output_price=model.output_price)

    def _model_paid_by(self, payer: Payer) -> Writer | None:
        return self.model_writer.paid_by(payer) if self.model_writer else None

    @cached_property
    def spending(self) -> SpendingBook:
        """What model calls cost, and their limits."""
        access = AccessStore(self.engine)
        return SpendingBook(
            self.engine,
            limits=self.settings.spending,
            prices=(self.settings.model.input_price, self.settings.model.output_price),
            who=lambda payer: spender_of(payer, access=access, records=self.records, connections=self.connections),
        )

    def _name_index(self, name: str) -> NameIndex:
        """The index over all names of a connection, rebuilt when its records have changed."""
        revision = self.records.revision(name)
        with self._lock:
            kept = self._names.get(name)
            if kept is None or kept[0] != revision:
                kept = self._names[name] = (revision, build_index(self.records.names(name)))
        return kept[1]

    def _population(self, name: str) -> Population:
        revision = self.records.revision(name)
        with self._lock:
            kept = self._populations.get(name)
            if kept is None or kept[0] != revision:
                kept = self._populations[name] = (revision, self.records.population(name))
        return kept[1]

    def close(self) -> None:
        if "limiter" in self.__dict__:
            self.limiter.close()
        self.engine.dispose()


def _normalise_address(kind: str, value: str, country: str | None) -> str | None:
    """The form of a mail address or phone number that decides whose it is."""
    return normalise_email(value) if kind == "email" else normalise_phone(value, country)


def open_office(
    settings: Settings | None = None, *, work: bool = True, take: bool = True, queues: Sequence[str] | None = None
) -> Office:
    """A whole server of this process: the assistant with its desk, engine and intake. Close it when done."""
    import os

    from crmplugin.work.office import Office

    assistant = Assistant(settings or load_settings(os.environ))
    return Office(assistant, work=work, take=take, queues=queues)


@contextmanager
def open_scratch(
    paths: Sequence[str], more: Mapping[str, str] | None = None
) -> Iterator[tuple[Assistant, ImportReport]]:
    """An assistant over a throw-away store that holds these record files, and the report of their import.

    `more` are settings as environment variables name them, such as those of a model.
    """
    from crmplugin.journeys.import_records import import_records

    with TemporaryDirectory() as folder:
        settings = load_settings({"CRMPLUGIN_CONFIG": "", "CRMPLUGIN_VAR": folder, **(more or {})})
        assistant = Assistant(settings)
        try:
            yield assistant, import_records(paths, connection="local", records=assistant.records)
        finally:
            assistant.close()
