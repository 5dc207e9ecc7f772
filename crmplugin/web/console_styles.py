"""The style sheets of reps: what their approved drafts taught, in words; changed, and deleted, by who may see them."""

from __future__ import annotations

from typing import Any

from flask import Response, request

from crmplugin.errors import NotFound, UsageError
from crmplugin.journeys.styles import edit_style, erase_styles, list_styles
from crmplugin.journeys.visibility import check_connection
from crmplugin.web.auth import desk, who
from crmplugin.web.console_frame import back_to, blueprint, page, plain_who
from crmplugin.web.texts import whole_number

PAGE = "/console/styles"
MOST_WORDS = 2_000


@blueprint.get(PAGE)
def styles() -> Response:
    """Every sheet that the reader may see, by connection."""
    return _page()


@blueprint.post(PAGE)
def change_style() -> Response:
    """Keeps a changed sheet, or deletes it. Nothing is kept that is no wording."""
    connection, *key = (request.form.get(name, "") for name in ("connection", "user_id", "kind", "language"))
    check_connection(desk(), who(), connection)
    if request.form.get("do") == "erase":
        erase_styles(desk(), who(), connection, *key)
        return back_to(f"{PAGE}?erased=1")
    try:
        edit_style(desk(), who(), connection, (key[0], key[1], key[2]), _changes())
    except NotFound:
        raise
    except UsageError as error:
        return _page(problem=str(error), status=422)
    return back_to(f"{PAGE}?saved=1")


def _changes() -> dict[str, Any]:
    """The fields of the form; an empty one lays nothing down. Raises UsageError for a length that is none."""
    given = {name: request.form.get(name, "").replace("\r\n", "\n").strip() for name in ("words", "greeting")}
    words = whole_number(given["words"])
    if given["words"] and (words is None or not 0 < words <= MOST_WORDS):
        raise UsageError(f"words: expected a number from 1 to {MOST_WORDS}, got {given['words'][:20]!r}")
    return {"words": words, "greeting": given["greeting"] or None, **{name: _lines(name) for name in _LISTS}}


_LISTS = ("phrases_used", "phrases_removed")


def _lines(name: str) -> list[str]:
    return [line.strip() for line in request.form.get(name, "").splitlines() if line.strip()]


def _page(*, problem: str | None = None, status: int = 200) -> Response:
    seen = [name for name in desk().settings.connections if who().sees(name)]
    sheets = [(name, sheet) for name in seen for sheet in list_styles(desk(), who(), name, None)]
    rows = [(name, sheet, plain_who(f"user:{sheet.user_id}", name)) for name, sheet in sheets]
    return page(
        "styles.html", status=status, rows=rows, problem=problem,
        saved=request.args.get("saved"), erased=request.args.get("erased"), several=len(seen) > 1,
    )  # fmt: skip
