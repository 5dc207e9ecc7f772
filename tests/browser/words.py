"""What the scripted model says, and the records that prove it."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from typing import Any

from crmplugin.llm.scripted import PIECE_CHARS

RECORDS: dict[str, Any] = {
    "seller": {"name": "Meridian", "country": "GB", "timezone": "Europe/London", "currency": "GBP"},
    "users": [{"id": "U-1", "name": "Ann Ray", "role": "rep", "email": "ann@meridian.example"}],
    "companies": [{"id": "CO-1", "name": "Kestrel Foods", "country": "GB", "owner_id": "U-1"}],
    "contacts": [
        {"id": "C-1", "company_id": "CO-1", "first_name": "Amir", "last_name": "Shah", "email": "amir@kestrel.example",
         "language": "en"}
    ],
    "products": [
        {"id": "P-1", "name": "FM-300", "lead_time": "6-8 weeks", "list_price": "1200.00", "currency": "GBP",
         "active": True}
    ],
    "claims": [{"id": "CL-1", "text": "All our machines carry a 24-month warranty.", "product_ids": ["P-1"]}],
    "deals": [
        {"id": "D-1", "name": "Flow meters", "company_id": "CO-1", "contact_ids": ["C-1"], "primary_contact_id": "C-1",
         "owner_id": "U-1", "pipeline": "sales", "stage": "Proposal", "stage_kind": "proposal", "status": "open",
         "created_at": "2026-01-05T09:00:00Z", "amount": "26505.00", "currency": "GBP", "product_ids": ["P-1"]}
    ],
}  # fmt: skip


def hours_ago(n: int) -> str:
    return (datetime.now(UTC) - timedelta(hours=n)).isoformat()


def question(n: int, at: str) -> dict[str, Any]:
    """A mail of the customer that asks something."""
    return {
        "id": f"A-{n}", "type": "email", "direction": "inbound", "at": at, "deal_id": "D-1", "company_id": "CO-1",
        "contact_ids": ["C-1"], "subject": "FM-300",
        "body": "Hello,\n\nhow long is the lead time for the FM-300?\n\nAmir",
    }  # fmt: skip


LINES = (
    "subject\tP-1.name\tLead time for the FM-300",
    "claim\tP-1.name,P-1.lead_time,A-1.question1\tThe lead time for the FM-300 is 6 to 8 weeks.",
    "claim\tCL-1.text\tAll our machines carry a 24-month warranty.",
    "ask\t\tDoes that fit your plans?",
)
TEXT = "\n".join(LINES)
SLOWLY = "take your time"
"""A wish at which the scripted model stops in the middle of what it says, until a test lets it go on."""


class Pace:
    """How far the model may speak when it is asked to take its time: to the middle of its first sentence, then on."""

    def __init__(self) -> None:
        self._moved = threading.Condition()
        self._allowed = 0
        self.hold()

    def hold(self) -> None:
        """From now on the text stops in the middle of its first sentence."""
        self.to("The lead time for the")

    def to(self, words: str) -> None:
        """Lets the text come until these words are said."""
        self._allow((TEXT.index(words) + len(words)) // PIECE_CHARS)

    def go(self) -> None:
        """Lets all of it come."""
        self._allow(len(TEXT))

    def _allow(self, pieces: int) -> None:
        with self._moved:
            self._allowed = pieces
            self._moved.notify_all()

    def wait(self, n: int) -> None:
        """Returns when the n-th piece may be said."""
        with self._moved:
            self._moved.wait_for(lambda: n < self._allowed, timeout=60)
