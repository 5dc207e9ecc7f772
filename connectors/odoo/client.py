"""Calls of Odoo's models: JSON-2 for 19 and later, XML-RPC for 17 and 18, with one face.

`execute(model, method, ids=…, **arguments)` gives the bare answer of the method. A failure is never told with Odoo's
`debug`, which holds a traceback. Vendor pages `external_api` and `external_rpc_api`, read November 2026.
"""

from __future__ import annotations

import threading
import xmlrpc.client
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from xml.parsers.expat import ExpatError

from defusedxml.common import DefusedXmlException
from defusedxml.xmlrpc import DefusedExpatParser
from requests.auth import AuthBase

from connectors.auth import HeaderAuth
from connectors.transport import Answer, Dialect, Refused, Transport, redacted
from crmplugin.errors import CrmUnavailable, NotFound

READS = frozenset({"read", "web_read", "search_read", "web_search_read", "search", "search_count", "fields_get",
                   "has_access", "check_access_rights", "context_get", "load"})  # fmt: skip
"""Methods that may be called twice: they change nothing, or, as `load` with an external id, the same twice."""
PROTOCOLS = ("json2", "xmlrpc")
WHY_HIDDEN = "it is of a company that the bot may not work for, or the bot lacks Sales / User: All Documents"

Thing = Mapping[str, Any]


class ApiKeys:
    """The key of the bot user; while keys are being changed also the one before, each tried once a call."""

    def __init__(self, keys: Sequence[str]) -> None:
        self._keys, self._now, self._lock = tuple(keys), 0, threading.Lock()

    @property
    def current(self) -> str:
        return self._keys[self._now]

    def applied(self) -> AuthBase:
        return HeaderAuth("Authorization", f"bearer {self.current}")

    def renewed(self, refused: AuthBase) -> bool:
        """Goes over to the other key, if there is one."""
        return self.went_over(str(getattr(refused, "value", "")).removeprefix("bearer "))

    def went_over(self, refused: str) -> bool:
        """Uses another key than this one, unless another call did so already; False when there is only one."""
        with self._lock:
            if refused == self.current:
                self._now = (self._now + 1) % len(self._keys)
        return len(self._keys) > 1

    def secrets(self) -> Iterable[str]:
        return self._keys


class Json2:
    """JSON-2: one call is one transaction, and its body names the arguments."""

    def __init__(self, transport: Transport, base_url: str) -> None:
        self._transport, self._base_url = transport, base_url

    def execute(self, model: str, method: str, ids: Sequence[int] | None, arguments: Thing) -> Any:
        body = {**({"ids": list(ids)} if ids is not None else {}), **arguments}
        url = f"{self._base_url}/json/2/{model}/{method}"
        return self._transport.call("POST", url, body=body, again=method in READS)

    def may(self, model: str, operation: str) -> bool:
        return self.execute(model, "has_access", [], {"operation": operation}) is True


class XmlRpc:
    """XML-RPC of Odoo 17 and 18: a call by the bot's name, its key as the password."""

    def __init__(self, transport: Transport, base_url: str, *, database: str, login: str, keys: ApiKeys) -> None:
        self._transport, self._base_url = transport, base_url
        self._database, self._login, self._keys = database, login, keys
        self._uids: dict[str, int] = {}

    def execute(self, model: str, method: str, ids: Sequence[int] | None, arguments: Thing) -> Any:
        used = self._keys.current
        try:
            return self._execute(used, model, method, ids, arguments)
        except Refused as error:
            if error.status != 401 or not self._keys.went_over(used):
                raise
            return self._execute(self._keys.current, model, method, ids, arguments)

    def may(self, model: str, operation: str) -> bool:
        return (
            self.execute(model, "check_access_rights", None, {"operation": operation, "raise_exception": False}) is True
        )

    def _execute(self, key: str, model: str, method: str, ids: Sequence[int] | None, arguments: Thing) -> Any:
        positional: list[Any] = [list(ids)] if ids is not None else []
        named = dict(arguments)
        if method == "write":
            # Modules of 17 call this argument `vals` or `values`.
            positional.append(named.pop("vals"))
        call = (self._database, self._uid(key), key, model, method, positional, named)
        return self._call("object", "execute_kw", call, again=method in READS)

    def _uid(self, key: str) -> int:
        if key not in self._uids:
            uid = self._call("common", "authenticate", (self._database, self._login, key, {}), again=True)
            if not uid:
                raise Refused("odoo refused database, login or api_key (401)", 401)
            self._uids[key] = int(uid)
        return self._uids[key]

    def _call(self, service: str, method: str, parameters: tuple[Any, ...], *, again: bool) -> Any:
        data = xmlrpc.client.dumps(parameters, method, allow_none=True).encode()
        url, kind = f"{self._base_url}/xmlrpc/2/{service}", {"Content-Type": "text/xml", "Accept": "text/xml"}
        answer = self._transport.send("POST", url, data=data, headers=kind, again=again)
        try:
            return _unmarshalled(answer.body)
        except xmlrpc.client.Fault as fault:
            raise _refused(fault, self._keys.secrets()) from fault
        except (ExpatError, DefusedXmlException, xmlrpc.client.Error, ValueError, TypeError) as error:
            raise CrmUnavailable(f"odoo: what answers at {service} is no XML-RPC ({type(error).__name__})") from error


def _unmarshalled(body: bytes) -> Any:
    unmarshaller = xmlrpc.client.Unmarshaller(use_datetime=False, use_builtin_types=True)
    parser = DefusedExpatParser(unmarshaller)
    parser.feed(body)
    parser.close()
    found = unmarshaller.close()
    return found[0] if found else None


def _refused(fault: xmlrpc.client.Fault, secrets: Iterable[str]) -> Refused:
    """The fault in Odoo's words, of a traceback the last line. Codes of Odoo's `rpc` module: 2 to 4."""
    told = str(fault.faultString).strip()
    words = " ".join((told.rsplit("\n", 1)[-1] if told.startswith("Traceback") else told).split())[:300]
    status = {3: 401, 4: 403}.get(int(fault.faultCode) if str(fault.faultCode).isdigit() else 0, 422)
    if "MissingError" in words or "does not exist" in words:
        status = 404
    return Refused(redacted(f"odoo refused the call ({status}): {words}", secrets), status)


class OdooClient:
    """What the other files ask with: Odoo's own documents come back. `context` goes with every call."""

    def __init__(self, transport: Transport, protocol: Json2 | XmlRpc, context: Thing) -> None:
        self.transport, self._protocol, self._context = transport, protocol, dict(context)

    def call(self, model: str, method: str, ids: Sequence[int] | None = None, **arguments: Any) -> Any:
        """Calls a method. Raises Refused (404: no such record or model, 403: not allowed) and CrmUnavailable."""
        about = {**self._context, **arguments.pop("context", {})}
        return self._protocol.execute(model, method, ids, {**arguments, "context": about})

    def may(self, model: str, operation: str = "read") -> bool:
        """Whether the bot may do this with a model; False too for one that is not installed."""
        try:
            return self._protocol.may(model, operation)
        except Refused as error:
            if error.status in (403, 404, 422):
                return False
            raise

    def fields(self, model: str) -> Mapping[str, Thing]:
        found: Mapping[str, Thing] = self._protocol.execute(
            model, "fields_get", None, {"attributes": ["type", "relation"], "context": self._context}
        )
        return found

    def tree(self, model: str, id_: int, specification: Thing) -> Thing | None:
        """One record with all that hangs on it; None when it is gone. Raises NotFound for one hidden from the bot."""
        try:
            found = self.call(model, "web_read", [id_], specification=specification)
        except Refused as error:
            if error.status == 404:
                return None
            if error.status == 403:
                raise NotFound(f"odoo does not show {model} {id_} to the bot user: {WHY_HIDDEN}") from error
            raise
        return found[0] if found else None

    def page(self, model: str, domain: Sequence[Any], specification: Thing, **more: Any) -> tuple[list[Thing], int]:
        """Records that fit, and how many there are behind the limit too."""
        answer = self.call(model, "web_search_read", domain=list(domain), specification=specification, **more)
        return list(answer["records"]), int(answer["length"])

    def trees(self, model: str, domain: Sequence[Any], specification: Thing, **more: Any) -> list[Thing]:
        return self.page(model, domain, specification, **more)[0]

    def search(self, model: str, domain: Sequence[Any], fields: Sequence[str], **more: Any) -> list[Thing]:
        return list(self.call(model, "search_read", domain=list(domain), fields=list(fields), **more))


def explain(answer: Answer) -> str:
    """Odoo's own words, without its traceback."""
    document = answer.document
    if not isinstance(document, Mapping):
        return ""
    return (
        f"{str(document.get('name') or '').rpartition('.')[2]}: {' '.join(str(document.get('message') or '').split())}"
    )


DIALECT = Dialect(explain=explain)
