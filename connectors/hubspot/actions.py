"""The step "Write a draft" of a HubSpot workflow: what it asks for, and what the workflow is told."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from crmplugin.domain.crm import Subject
from crmplugin.errors import NotGenuine, Unreadable
from crmplugin.ports import Action

TYPES = {"DEAL": "deal", "CONTACT": "contact", "COMPANY": "company", "TICKET": "ticket"}
ASKED = ("type", "channel", "language", "tone", "length", "instruction")
FINISHED = ("proposed", "approved", "writing_back", "written")
OUTPUT_LENGTH = 5_000


def read_action(body: bytes, *, portal: str) -> Action:
    """The draft that a step asks for; HubSpot's callback id makes a repeated call the same one.

    Raises Unreadable for another form, NotGenuine for another account.
    """
    try:
        document = json.loads(body.decode("utf-8"))
        origin, thing = document["origin"], document["object"]
        subject = Subject(TYPES[str(thing["objectType"]).upper()], str(thing["objectId"]))  # type: ignore[arg-type]
        key = str(document["callbackId"])
        inputs: Mapping[str, Any] = document.get("inputFields") or {}
        if portal and str(origin.get("portalId")) != portal:
            raise NotGenuine(f"the step is of portal {origin.get('portalId')}, not of this connection's {portal}")
        wishes = {name: str(inputs[name]) for name in ASKED if inputs.get(name)}
        asked = {"kind": str(inputs.get("kind") or "follow_up"), f"{subject.type}_id": subject.id, **wishes}
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise Unreadable("the body is no step of a HubSpot workflow: it names no object or no callbackId") from error
    return Action(subject, asked, key, _answer)


def _answer(draft: Mapping[str, Any]) -> Mapping[str, Any]:
    """The outputs of the step. A draft that is still being written comes by itself: the workflow goes on."""
    ready = draft.get("status") in FINISHED
    outputs = {
        "draft_id": str(draft.get("id")),
        "draft_status": str(draft.get("status")),
        "draft_subject": (str(draft.get("subject") or "") if ready else "")[:OUTPUT_LENGTH],
        "draft_text": (str(draft.get("body") or "") if ready else "")[:OUTPUT_LENGTH],
        "hs_execution_state": "SUCCESS",
    }
    return {"outputFields": outputs}
