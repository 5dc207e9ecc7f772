"""Logs of the long-running commands: one JSON object a line on stderr, without customer text or tokens.

Of an error they have its kind and the lines of code that it came through, and not what it says: that may quote a
customer's text. What a job failed of stands in the job, what a caller did wrong in their answer.
"""

from __future__ import annotations

import logging
import sys
import traceback
from collections.abc import Iterator, MutableMapping
from typing import Any

import structlog

QUIET = ("alembic", "dbos", "urllib3", "httpx", "httpx2", "_granian")


def set_up_logs(level: str) -> None:
    """Sends every log record to stderr as a JSON line, from `level` (debug, info, warning, error) on."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(log_formatter())
    logging.basicConfig(handlers=[handler], level=level.upper(), force=True)
    for name in QUIET:
        logging.getLogger(name).setLevel(max(logging.WARNING, logging.getLevelName(level.upper())))


def log_formatter() -> logging.Formatter:
    """Makes a JSON line of each record."""
    shared: list[Any] = [
        structlog.processors.EventRenamer("message"),  # the library's `event` is the text; ours is what a CRM sent
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            _tell_exception,
            structlog.processors.JSONRenderer(),
        ],
    )


def _tell_exception(_logger: Any, _name: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    given = event.pop("exc_info", None)
    error = given[1] if isinstance(given, tuple) else given if isinstance(given, BaseException) else sys.exception()
    if given and error is not None:
        event["exception"] = "\n".join(_kinds_and_places(error))
    return event


def _kinds_and_places(error: BaseException | None) -> Iterator[str]:
    """An error and those that it came of, the last first: the kind of each, and the code from outside in."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield f"{type(error).__module__}.{type(error).__qualname__}"
        for frame in traceback.extract_tb(error.__traceback__):
            yield f"  {frame.filename}:{frame.lineno} in {frame.name}"
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
