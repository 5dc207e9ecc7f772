"""What the rooms need of each other, as Protocols. `wiring` decides who stands behind each."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, Protocol

from crmplugin.domain.brief import Brief
from crmplugin.domain.crm import Context, Subject
from crmplugin.domain.draft import Draft, Report, Sentence, Written
from crmplugin.domain.event import Event, ObjectRef
from crmplugin.domain.fact import Fact
from crmplugin.domain.spending import Payer

Step = Callable[..., Any]
"""`step(name, fn, *args)`: runs fn once and remembers its answer, or gives back the remembered one."""

Emit = Callable[[str, Mapping[str, Any]], None]
"""`emit(event, data)`: a piece for whoever watches: brief, text, sentence, check, done, error."""


def plain_step(name: str, fn: Callable[..., Any], *args: Any) -> Any:
    """The step of a test or a command: a plain call."""
    return fn(*args)


def silent(event: str, data: Mapping[str, Any]) -> None:
    """An `emit` for nobody."""


@dataclass(frozen=True, slots=True)
class Name:
    """A name of the connection that must not stand in another account's text.

    kind: company, contact, product, deal. `owner_id` is the company it belongs to (None for products).
    """

    kind: str
    record_id: str
    owner_id: str | None
    text: str


@dataclass(frozen=True, slots=True)
class Ranking:
    """What the fit over all histories ranks for one account.

    repeat and new: product id -> chance to be bought next, 0 to 1, best first. The methods are those that found most
    of the newest baskets of n customers, which were kept back; "frequency" and "popularity" where none was better.
    """

    computed_at: datetime
    repeat_method: str
    new_method: str
    n: int
    repeat: Mapping[str, float] = field(default_factory=dict)
    new: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Learned:
    """What the fit over all histories says of one account; see `Population` for churn."""

    ranking: Ranking | None = None
    rfm_class: str | None = None
    churn: tuple[float, float, float, float] | None = None


@dataclass(frozen=True, slots=True)
class Population:
    """What all accounts of a connection show, learned from the store; empty when there is nothing to learn from.

    stage_days: (pipeline, stage) -> days that won deals spent there, one number a deal.
    stage_outcomes: (pipeline, stage) -> closed deals that stood there: won, lost, and how many of each stayed there
    longer than one and a half times the median of won ones.
    product_gap_days: product id -> (median gap in days over accounts, number of accounts with a gap).
    product_repeat: product id -> (customers who bought it on two or more days, customers who bought it).
    repeat_share: share of repeat lines over all accounts, 0 to 1.
    closed_deals: closed deals as small rows: id, company_id, industry, product_ids, amount, currency, discount_pct,
    won (bool), closed_at. bought_with: product id -> {other id -> accounts that bought both}; bought_by: product id ->
    accounts that bought it; accounts: accounts with an order in the window. bought_alike: group of look-alikes
    (`analysis.lookalikes`) -> (accounts in it, product id -> how many of them bought it). churn: r, alpha, a and b of
    BG/NBD in weeks, where enough accounts bought again. ranking and rfm_class are those of the account in view.
    """

    computed_at: datetime | None = None
    stage_days: Mapping[tuple[str, str], tuple[Decimal, ...]] = field(default_factory=dict)
    stage_outcomes: Mapping[tuple[str, str], tuple[int, int, int, int]] = field(default_factory=dict)
    product_gap_days: Mapping[str, tuple[Decimal, int]] = field(default_factory=dict)
    product_repeat: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    repeat_share: Decimal | None = None
    closed_deals: tuple[Mapping[str, Any], ...] = ()
    bought_with: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    bought_by: Mapping[str, int] = field(default_factory=dict)
    accounts: int = 0
    account_gap_n: int = 0
    bought_alike: Mapping[str, tuple[int, Mapping[str, int]]] = field(default_factory=dict)
    churn: tuple[float, float, float, float] | None = None
    ranking: Ranking | None = None
    rfm_class: str | None = None


class Records(Protocol):
    """The reading side of the store for the local CRM and mirrors."""

    def read_context(self, connection: str, subject: Subject) -> Context:
        """Everything about one subject. Raises NotFound naming type, id and connection."""
        ...

    def names(self, connection: str) -> Iterable[Name]: ...

    def population(self, connection: str) -> Population: ...

    def add_activity(self, connection: str, activity: Mapping[str, Any]) -> str:
        """Stores an activity of our own making (a write-back) by id; the same id again changes nothing."""
        ...

    def find_by_source(self, connection: str, source: str) -> str | None:
        """The id of the activity whose `source` is this marker, if one exists."""
        ...


class Connector(Protocol):
    """One CRM, behind the verbs of design §6. Vendor words stop inside."""

    crm: str

    def verify_webhook(self, headers: Mapping[str, str], body: bytes, *, url: str, now: datetime) -> None:
        """Raises NotGenuine whatever is wrong."""
        ...

    def read_events(self, body: bytes, *, received_at: datetime) -> Reading:
        """Raises Unreadable or TooLarge when the body as a whole cannot be taken."""
        ...

    def acknowledge(self, reading: Reading, new: Sequence[bool]) -> tuple[int, Mapping[str, str], bytes]:
        """The CRM's own form of 2xx: status, headers, body. `new` says of each event whether it was kept just now."""
        ...

    def read_context(self, subject: Subject) -> Context: ...

    def find_written(self, marker: str, *, draft: Draft | None = None) -> str | None:
        """The CRM's id of what an earlier write-back with this marker made, if it is there; `draft` says where."""
        ...

    def write_back(self, draft: Draft, *, marker: str, at: datetime) -> str:
        """Writes an approved draft into the CRM and gives back the new record's id.

        Raises CrmUnavailable with `retry_after_s` only where the CRM said that it took nothing. A connector whose CRM
        itself takes a marker once says so with `writes_once = True`.
        """
        ...

    def diagnose(self) -> Sequence[tuple[str, bool, str]]:
        """Checks as (name, good, what to do)."""
        ...

    def verify_panel(self, call: PanelCall, *, now: datetime) -> Visitor:
        """Who opened the panel, as the CRM itself attests it. Raises NotGenuine whatever is wrong."""
        ...

    def may_see(self, user_id: str, subject: Subject) -> bool | None:
        """Whether the CRM lets this user see the record; None when it cannot say, and the owner's rule decides."""
        ...

    def changes_since(self, since: datetime | None, *, cursor: str | None = None) -> Changes:
        """One page of what changed, by the CRM's own modification time; `since` None: everything. Go on by cursor."""
        ...

    def find_segment(self, segment_id: str, *, cursor: str | None = None) -> SegmentPage:
        """One page of a list, report or campaign of the CRM, with opt-outs read just now."""
        ...

    def push_campaign(self, campaign: CampaignPush, *, marker: str, at: datetime) -> str:
        """Puts approved messages where the CRM takes drafts, once a marker. Raises CrmRefused where it takes none."""
        ...

    def renew(self, *, now: datetime) -> datetime | None:
        """Renews what expires (tokens, subscriptions) and gives back when to come again; None: nothing expires."""
        ...


@dataclass(frozen=True, slots=True)
class PanelCall:
    """A request that opens the panel, as it came. `url` is the public one, with its query."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who the CRM says opened the panel. `subject` None: the CRM does not attest the record, so it must be checked.

    `signed`: the text that the CRM signed, where that opens the panel; it does so once.
    """

    user_id: str | None
    email: str | None = None
    subject: Subject | None = None
    signed: str | None = None


@dataclass(frozen=True, slots=True)
class Action:
    """A step of a CRM's workflow that asks for a draft (a connector's `read_action`, where its CRM has such steps).

    `body` asks as a panel does, `key` makes a repeated call the same draft, `answer` gives the draft in the CRM's form.
    """

    subject: Subject
    body: Mapping[str, Any]
    key: str
    answer: Callable[[Mapping[str, Any]], Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Changes:
    """A page of what changed in a CRM.

    `records` are collections of `crmplugin-records/1`, for the mirror; `events` what webhooks would have said, with the
    ids that those would have had where the CRM allows it, else ids that begin with `poll-` and are the same at every
    read; `cursor` None: this was the last page. `up_to` is the CRM's own time up to which the read is complete: the
    next `since`, less an overlap.
    """

    records: Mapping[str, Any] = field(default_factory=dict)
    events: tuple[Event, ...] = ()
    deleted: tuple[ObjectRef, ...] = ()
    merged: tuple[tuple[ObjectRef, ObjectRef], ...] = ()
    cursor: str | None = None
    up_to: datetime | None = None
    total: int | None = None


@dataclass(frozen=True, slots=True)
class SegmentPage:
    """Members of a CRM's segment: contacts as records, and who of them may not be written to (channel -> ids)."""

    contacts: tuple[Mapping[str, Any], ...] = ()
    opted_out: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    cursor: str | None = None
    total: int | None = None


@dataclass(frozen=True, slots=True)
class CampaignMessage:
    """One approved message of a campaign."""

    contact_id: str
    address: str | None
    subject: str
    text: str
    html: str = ""


@dataclass(frozen=True, slots=True)
class CampaignPush:
    """An approved campaign for one channel and language: the master and a message for each recipient."""

    id: str
    name: str
    channel: str
    language: str
    subject: str
    text: str
    html: str
    messages: tuple[CampaignMessage, ...] = ()


LONGEST_WAIT_S = 3.0
"""A caller waits this long for its turn on its thread. For more it raises, with `retry_after_s`, and the job sleeps."""


class Limiter(Protocol):
    """Token buckets that all processes share: how often one CRM account or model endpoint may be called."""

    def reserve(self, key: str, *, per_second: float, burst: int) -> float:
        """Takes one call out of the bucket and gives back the seconds to wait before making it (0.0: now).

        A wait above LONGEST_WAIT_S takes nothing: raise CrmUnavailable with it, and the job comes again then.
        """
        ...

    def hold(self, key: str, seconds: float) -> None:
        """Nobody calls for this long: the other side said so (`Retry-After`)."""
        ...


class Purse(Protocol):
    """What model calls may cost: an estimate is promised before a call, and what it took is counted after it."""

    def reserve(self, payer: Payer, input_tokens: int, output_tokens: int) -> Callable[[int, int], None]:
        """Promises a call's most, and gives back what to tell the tokens that it took, once.

        Raises SpendingLimitReached where the template writer may take over, else SpendingRefused.
        """
        ...


class Vault(Protocol):
    """Credentials that change by themselves (access and refresh tokens), encrypted at rest."""

    def get(self, connection: str, name: str) -> tuple[str, datetime | None] | None:
        """The value and when it ends, or None."""
        ...

    def put(self, connection: str, name: str, value: str, *, expires_at: datetime | None = None) -> None: ...

    def lock(self, connection: str, name: str) -> AbstractContextManager[None]:
        """While it is held no other process renews this value."""
        ...


@dataclass(frozen=True, slots=True)
class Services:
    """What a connector borrows from its house: shared limits, kept credentials, the time, and how to wait."""

    limiter: Limiter
    vault: Vault
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    sleep: Callable[[float], None] = time.sleep


@dataclass(frozen=True, slots=True)
class Reading:
    """What one webhook call held: events to keep, entries refused by name, and how many were ignored."""

    events: tuple[Event, ...] = ()
    refused: tuple[Mapping[str, str], ...] = ()
    ignored: int = 0


@dataclass(frozen=True, slots=True)
class Message:
    role: str
    content: str


@dataclass(frozen=True, slots=True)
class ModelAnswer:
    """What a chat call gave, piece by piece; usage is known when the stream has ended."""

    pieces: Iterator[str]
    usage: Callable[[], tuple[int, int]]
    model: str
    masked: Mapping[str, int] = field(default_factory=dict)
    """Rule of masking -> how often it hid something in the request."""


class ChatModel(Protocol):
    """Any OpenAI-compatible chat endpoint. Raises ModelUnavailable (also in mid-stream).

    `private` are texts (names, addresses, numbers) that must not leave: the door masks them, and every mail address
    and phone number it finds, and puts them back into the answer.
    """

    name: str

    def stream(self, messages: Sequence[Message], *, private: Sequence[str] = ()) -> ModelAnswer: ...

    def paid_by(self, payer: Payer) -> ChatModel:
        """The same model, its calls counted for somebody."""
        ...


class Writer(Protocol):
    """Words a brief. Raises ModelError when it gives up; never invents what no fact carries."""

    kind: str

    def write(self, brief: Brief, *, emit: Emit = silent) -> Written: ...

    def repair(self, brief: Brief, written: Written, report: Report, *, emit: Emit = silent) -> Written:
        """A second attempt that mends what the report refuses. May give back the same text."""
        ...


class NameIndex(Protocol):
    """All names of a connection, ready to be found in a text."""

    def find(self, text: str) -> Sequence[tuple[int, int, Name]]:
        """Longest matches with word boundaries: start, end, name."""
        ...


class Checker(Protocol):
    """Reads every word of a text against facts; needs no model."""

    def __call__(
        self,
        sentences: Sequence[Sentence],
        facts: Sequence[Fact],
        *,
        language: str,
        locale: str,
        audience: str,
        send_on: date,
        zone: str,
        names: NameIndex,
        brief: Brief | None = None,
    ) -> Report: ...


class Jobs(Protocol):
    """Durable work, asked for by journeys and web, done by `work`."""

    def enqueue(
        self,
        kind: str,
        payload: Mapping[str, Any],
        *,
        job_id: str,
        priority: int = 10,
        not_before: datetime | None = None,
    ) -> str:
        """Adds a job once: the same job_id again changes nothing. Kinds: draft, write_back, event."""
        ...

    def cancel(self, job_id: str) -> bool: ...
