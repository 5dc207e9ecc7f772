"""Logs of the long-running commands: one JSON object a line on stderr, without customer text or tokens."""

from __future__ import annotations

import logging
import sys
from typing import Any

import structlog

QUIET = ("alembic", "dbos", "urllib3", "httpx", "_granian")


def set_up_logs(level: str) -> None:
    """Sends every log record to stderr as a JSON line, from `level` (debug, info, warning, error) on."""
    shared: list[Any] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(),
        ],
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter)
    logging.basicConfig(handlers=[handler], level=level.upper(), force=True)
    for name in QUIET:
        logging.getLogger(name).setLevel(max(logging.WARNING, logging.getLevelName(level.upper())))
