"""A CRM as a list of exchanges: what else is asked fails the test, and so does what is not asked, or asked twice."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import responses
from responses import matchers


@dataclass(frozen=True)
class Exchange:
    """One request and its answer. `query` are parameters that it must have, `sent` the body that it must be."""

    method: str
    url: str
    answer: Any = None
    status: int = 200
    query: Mapping[str, Any] = field(default_factory=dict)
    sent: Any = None
    told: Mapping[str, str] = field(default_factory=dict)
    """Headers of the request."""
    headers: Mapping[str, str] = field(default_factory=dict)

    def matches(self) -> list[Any]:
        """What the request must be like, beside method and address."""
        found: list[Any] = [matchers.query_param_matcher(dict(self.query), strict_match=False)]
        found += [matchers.json_params_matcher(self.sent)] if self.sent is not None else []
        return found + ([matchers.header_matcher(dict(self.told))] if self.told else [])


@contextmanager
def only(*exchanges: Exchange) -> Iterator[None]:
    """Nothing is asked but this, each once; in which order is free, as calls of a round are made beside each other."""
    with responses.RequestsMock(assert_all_requests_are_fired=True) as mock:
        for one in exchanges:
            mock.add(one.method, one.url, json=one.answer, status=one.status, headers=one.headers, match=one.matches())
        yield
        assert len(mock.calls) == len(exchanges)
