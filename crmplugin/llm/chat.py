"""The one door to a model: any OpenAI-compatible chat endpoint, streamed, masked, behind a circuit breaker.

A 400 that names a parameter some servers do not know drops that parameter, for good, and tries once more.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import openai
from httpx2 import HTTPError, Timeout

from crmplugin.breaker import Breaker
from crmplugin.domain.spending import Payer
from crmplugin.errors import ModelError, ModelUnavailable
from crmplugin.llm.masking import Mask
from crmplugin.meters import MODEL_CALLS
from crmplugin.ports import LONGEST_WAIT_S, Limiter, Message, ModelAnswer, Purse
from crmplugin.settings import ModelSettings

log = logging.getLogger(__name__)
DROPPABLE = ("stream_options", "temperature", "max_tokens")
BYTES_PER_TOKEN, PER_MESSAGE = 3, 5
"""An estimate on the safe side: bytes of a token, and tokens that a server adds around a message."""
UNLIMITED = 1_000.0
"""Calls a second where the owner set no limit: only a `Retry-After` stops them."""
NO_COMPLETION = "the model endpoint answers with something else than a streamed chat completion; see OPENAI_BASE_URL"
KEYLESS = "no-key"
"""What is sent as the key to an endpoint that wants none; the client refuses an empty one."""


@dataclass(slots=True)
class _Count:
    """Tokens as the server counts them; zero when it does not say."""

    input_tokens: int = 0
    output_tokens: int = 0
    heard: int = 0
    """Bytes that came."""

    def both(self) -> tuple[int, int]:
        return self.input_tokens, self.output_tokens

    def paid(self, asked: int) -> tuple[int, int]:
        """The tokens that were paid for: the server's word, else an estimate as soon as anything came."""
        if any(self.both()) or not self.heard:
            return self.both()
        return asked, self.heard // BYTES_PER_TOKEN + 1


@dataclass
class OpenAIChat:
    """Chat completions of one model. Thread-safe."""

    client: openai.OpenAI
    name: str
    options: dict[str, Any]
    timeout_s: float
    masking: bool = True
    most_tokens: int = 0
    """The most that one answer may hold."""
    breaker: Breaker = field(default_factory=Breaker)
    calls: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(64))
    """Permits for calls at once."""
    limiter: Limiter | None = None
    per_second: float | None = None
    purse: Purse | None = None
    payer: Payer = field(default_factory=lambda: Payer("", ""))

    def paid_by(self, payer: Payer) -> OpenAIChat:
        """The same door, its calls counted for somebody."""
        return replace(self, payer=payer)

    @property
    def bucket(self) -> str:
        """The key of the limit that all processes share: the endpoint and the model."""
        return f"model/{self.client.base_url.host}/{self.name}"

    def stream(self, messages: Sequence[Message], *, private: Sequence[str] = ()) -> ModelAnswer:
        """The answer as it comes. Raises ModelUnavailable, also from the pieces, when the call fails or is cut."""
        self._take_turn()
        if wait_s := self.breaker.enter():
            failed = f"the model failed {self.breaker.failures} times in a row"
            raise ModelUnavailable(f"{failed}; next try in {wait_s:.0f} s")
        mask = Mask(private) if self.masking else Mask()
        sent = [{"role": m.role, "content": self._shown(m, mask)} for m in messages]
        count = _Count()
        pieces = self._guarded(sent, count)
        hidden = dict(mask.rules)
        log.info("masked before a model call", extra={"model": self.name, "masking": self.masking, "rules": hidden})
        return ModelAnswer(mask.show_pieces(pieces), count.both, self.name, hidden)

    def _shown(self, message: Message, mask: Mask) -> str:
        """What the model sees of a message."""
        return mask.hide(message.content, often=message.role == "system") if self.masking else message.content

    def _take_turn(self) -> None:
        """Waits for a turn among all processes. Raises ModelUnavailable with the time when that is long."""
        if self.limiter is None or self.per_second is None:
            return
        wait_s = self.limiter.reserve(self.bucket, per_second=self.per_second, burst=max(1, int(self.per_second)))
        if wait_s > LONGEST_WAIT_S:
            raise ModelUnavailable(f"the model is called as often as it may be: wait {wait_s:.0f} s", wait_s)
        time.sleep(wait_s)

    def _guarded(self, sent: list[dict[str, str]], count: _Count) -> Iterator[str]:
        """The pieces, every failure turned into our errors and counted by the breaker; what they cost is counted."""
        asked = sum(len(m["content"].encode()) // BYTES_PER_TOKEN + PER_MESSAGE for m in sent)
        settle = self.purse.reserve(self.payer, asked, self.most_tokens) if self.purse else None
        began, outcome = time.monotonic(), "left"
        try:
            with self.calls:
                yield from self._pieces(self._open(sent), count)
            outcome = "answered"
        except (openai.OpenAIError, HTTPError, ModelUnavailable) as error:
            ours, outcome = _our_error(error), "failed"
            self._learn(ours)
            raise ours from error
        finally:
            MODEL_CALLS.labels(outcome).observe(time.monotonic() - began)
            if settle:
                settle(*count.paid(asked))
        self.breaker.succeeded()

    def _learn(self, error: ModelError) -> None:
        """Counts a failure; one that names a time stops everybody until then instead."""
        named = getattr(error, "retry_after_s", None)
        if named and self.limiter is not None:
            self.limiter.hold(self.bucket, named)
        else:
            self.breaker.failed()

    def _open(self, sent: list[dict[str, str]]) -> Any:
        for _ in DROPPABLE:
            try:
                return self._create(sent)
            except openai.BadRequestError as error:
                unknown = next((p for p in DROPPABLE if p in self.options and p in str(error)), None)
                if unknown is None:
                    raise
                self.options.pop(unknown, None)  # in place: every copy of this door learns it
        return self._create(sent)

    def _create(self, sent: list[dict[str, str]]) -> openai.Stream[Any]:
        """The stream of an answer, as plain documents: the library's typed objects cost more than the call itself."""
        body = {"model": self.name, "messages": sent, "stream": True, **self.options}
        return self.client.post(
            "/chat/completions", cast_to=object, body=body, stream=True, stream_cls=openai.Stream[object]
        )

    def _pieces(self, stream: openai.Stream[Any], count: _Count) -> Iterator[str]:
        finished = False
        deadline = time.monotonic() + self.timeout_s
        with stream:
            for chunk in _documents(stream):
                if time.monotonic() > deadline:
                    raise ModelUnavailable(f"the model did not finish within {self.timeout_s:.0f} s")
                said, ended = _read_chunk(chunk, count)
                finished = finished or ended
                if said:
                    count.heard += len(said.encode())
                    yield said
        if not finished:
            raise ModelUnavailable("the model's answer was cut off in the middle")


def _documents(stream: openai.Stream[Any]) -> Iterator[Any]:
    try:
        yield from stream
    except ValueError as error:
        raise ModelUnavailable(NO_COMPLETION) from error


def _read_chunk(chunk: Any, count: _Count) -> tuple[str, bool]:
    """The piece of text in a chunk, and whether it is the last; counts the tokens that it tells of."""
    try:
        if usage := chunk.get("usage"):
            count.input_tokens = int(usage.get("prompt_tokens") or 0)
            count.output_tokens = int(usage.get("completion_tokens") or 0)
        choice: Any = next(iter(chunk.get("choices") or ()), {})
        said = (choice.get("delta") or {}).get("content") or ""
        return "" + said, choice.get("finish_reason") is not None
    except (AttributeError, TypeError, ValueError) as error:
        raise ModelUnavailable(NO_COMPLETION) from error


def _our_error(error: Exception) -> ModelError:
    """What went wrong, in our words; `retry_after_s` from the server when it says so."""
    if isinstance(error, ModelUnavailable):
        return error
    if isinstance(error, (openai.APITimeoutError, TimeoutError)):
        return ModelUnavailable("the model did not answer in time")
    if isinstance(error, openai.APIStatusError):
        return _status_error(error)
    return ModelUnavailable(f"the model cannot be reached ({type(error).__name__})")


def _status_error(error: openai.APIStatusError) -> ModelError:
    code = error.status_code
    if code == 429:
        wait = error.response.headers.get("retry-after", "")
        return ModelUnavailable("the model is over its rate limit (429)", float(wait) if wait.isdecimal() else None)
    if code in (401, 403):
        return ModelError(f"the model endpoint refuses the key ({code}); set OPENAI_API_KEY")
    if code == 404:
        return ModelError("the model endpoint does not know this model (404); see CRMPLUGIN_MODEL and OPENAI_BASE_URL")
    if code >= 500:
        return ModelUnavailable(f"the model endpoint failed ({code})")
    if code < 400:
        return ModelError(
            f"the model endpoint sends calls elsewhere ({code}); set OPENAI_BASE_URL to what answers itself"
        )
    return ModelError(f"the model endpoint refuses the request ({code})")


class _OneEndpoint(openai.DefaultHttpxClient):
    """What is written to an endpoint is for it alone, wherever it would like to have it. Closed with its holder."""

    def __del__(self) -> None:
        if not self.is_closed:
            self.close()


def open_chat(settings: ModelSettings, limiter: Limiter | None = None, purse: Purse | None = None) -> OpenAIChat:
    """The chat model of the settings, within the limit that all processes share; makes no call."""
    total = float(settings.timeout_s)
    client = openai.OpenAI(
        api_key=settings.api_key or KEYLESS,
        base_url=settings.base_url,
        timeout=Timeout(total, connect=float(settings.connect_timeout_s)),
        max_retries=0,
        http_client=_OneEndpoint(follow_redirects=False),
    )
    options = {
        "temperature": float(settings.temperature),
        "max_tokens": settings.max_tokens,
        "stream_options": {"include_usage": True},
    }
    return OpenAIChat(
        client,
        settings.name or "",
        options,
        total,
        masking=settings.masking,
        most_tokens=settings.max_tokens,
        purse=purse,
        calls=threading.Semaphore(settings.calls_at_once),
        limiter=limiter,
        per_second=float(settings.calls_per_second or UNLIMITED),
    )


def probe(settings: ModelSettings) -> tuple[bool, str]:
    """One tiny call: whether the endpoint answers, and what to do when it does not."""
    chat = open_chat(settings)
    try:
        text = "".join(chat.stream([Message("user", "Answer with the word ok.")]).pieces)
    except ModelError as error:
        return False, f"{settings.name}: {error}"
    return True, f"{settings.name} answers ({len(text)} characters); personal data is {_masked(chat.masking)}"


def _masked(masking: bool) -> str:
    return "masked before it leaves" if masking else "NOT masked (masking = false)"
