"""A draft's text as far as it has come, for a card whose CRM lets it ask again and again but not follow a stream."""

from __future__ import annotations

from typing import Any

from crmplugin.journeys.desk import Desk
from crmplugin.store.pieces import Piece

Line = dict[str, Any]


def arriving(desk: Desk, draft_id: str) -> list[Line]:
    """Lines in their order: `text`, `role` (None: not known yet) and `verdict` (None: not checked yet)."""
    channel = desk.broadcast.find(draft_id)
    here = channel is not None and not channel.closed
    lines: dict[int, Line] = {}
    for piece in channel.wait(0, 0) if here and channel else desk.broadcast.store.after(draft_id, 0):
        if piece.event in ("text", "sentence") and isinstance(piece.data.get("index"), int):
            _take(lines, piece)
    return [lines[index] for index in sorted(lines)]


def _take(lines: dict[int, Line], piece: Piece) -> None:
    """A piece of a line that was checked already begins a second writing, from that line on."""
    index, data = piece.data["index"], piece.data
    if piece.event == "sentence":
        lines[index] = {name: data.get(name) for name in ("text", "role", "verdict")}
        return
    if lines.get(index, {}).get("verdict") is not None:
        for later in [n for n in lines if n >= index]:
            del lines[later]
    line = lines.setdefault(index, {"text": "", "role": None, "verdict": None})
    line |= {"text": line["text"] + data["text"], "role": data.get("role") or line["role"]}
