"""The last line of what we write into a CRM without keys of its own: it finds a write again and shows it is ours."""

from __future__ import annotations

import html
import re

from connectors.documents import plain_text
from crmplugin.domain.draft import Draft

REFERENCE = re.compile(r"\s*Ref (crmplugin:[A-Za-z0-9_-]{1,64})\s*\Z")


def referenced_html(draft: Draft, marker: str) -> str:
    """The text as HTML with the reference as its last line; comments may be stripped, so it can be seen."""
    text = draft.html or "".join(f"<p>{html.escape(line)}</p>" for line in (draft.body or "").split("\n") if line)
    return f"{text}<p>Ref {html.escape(marker)}</p>"


def reference_in(body: object) -> str | None:
    """The marker in a body out of the CRM; None when it is not one of ours."""
    found = REFERENCE.search(plain_text(body) or "")
    return found[1] if found else None
