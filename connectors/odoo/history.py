"""How a deal went through its stages: as tracked where the bot may read that, else from the time spent in each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from connectors.documents import checked, instant_text
from connectors.odoo.mapping import VENDOR, Thing, id_of, name_of, text_of
from crmplugin.domain.records import Document


def stage_changes(lead: Thing, messages: Sequence[Thing], stages: Mapping[str, str]) -> list[Document]:
    """The changes, oldest first. `stages`: id -> name, in the order of the pipeline.

    Only administrators may read what Odoo tracks of fields; everybody may read the seconds spent in each stage. From
    those we take it that a deal went through them in the order of the pipeline and came last to where it is.
    """
    found = list(_tracked(lead, messages)) or list(_spent(lead, stages))
    return [checked("stage_changes", {"deal_id": str(lead["id"]), **one}, rest={}, vendor=VENDOR) for one in found]


def _tracked(lead: Thing, messages: Sequence[Thing]) -> Iterator[dict[str, Any]]:
    for message in messages:
        for value in message.get("tracking_value_ids") or ():
            if isinstance(value, Mapping) and name_of(value.get("field_id")) == "stage_id":
                old, new = text_of(value.get("old_value_char")), text_of(value.get("new_value_char"))
                at = instant_text(message.get("date"))
                yield {"id": f"tracking:{value['id']}", "from": old, "to": new, "at": at}


def _spent(lead: Thing, stages: Mapping[str, str]) -> Iterator[dict[str, Any]]:
    spent, here = lead.get("duration_tracking"), id_of(lead.get("stage_id"))
    began = instant_text(lead.get("create_date") or None)
    if not isinstance(spent, Mapping) or here is None or began is None:
        return
    moment, before = datetime.fromisoformat(began), None
    for id_ in (one for one in stages if one in spent and one != here):
        yield {"id": f"spent:{lead['id']}:{id_}", "from": before, "to": stages[id_], "at": instant_text(moment)}
        before, moment = stages[id_], moment + timedelta(seconds=float(spent[id_] or 0))
    came = instant_text(lead.get("date_last_stage_update") or None) or instant_text(moment)
    name = name_of(lead.get("stage_id")) or stages.get(here)
    yield {"id": f"spent:{lead['id']}:{here}", "from": before, "to": name, "at": came}
