"""What the scripted model says, and the records that prove it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

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
SLOWLY = "take your time"
"""A wish at which the scripted model pauses between its pieces."""
