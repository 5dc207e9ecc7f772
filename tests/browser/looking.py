"""What every page and state is held to: it fits each width, and an automated check finds nothing against it."""

from __future__ import annotations

import json
from typing import Any, Literal

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Frame, Page

WIDTHS = (320, 400, 1280)
SERIOUS = ("serious", "critical")
AXE = Axe().axe_script
OPTIONS: dict[Literal["dark", "light"], dict[str, Any]] = {
    "dark": {"resultTypes": ["violations"], "runOnly": ["color-contrast"]},
    "light": {"resultTypes": ["violations"]},
}
"""What axe looks for in each theme: in the dark only colours are other ones."""
WIDER = "document.documentElement.scrollWidth > innerWidth"


def check(page: Page, name: str, *, frame: Frame | None = None) -> None:
    """Nothing scrolls sideways at any width, and axe has no serious finding in either theme."""
    shown = frame or page
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 800})
        assert not shown.evaluate(WIDER), (name, width)
    shown.evaluate(AXE)
    page.emulate_media(reduced_motion="reduce")  # no colour is on its way to another one when it is looked at
    for theme, options in OPTIONS.items():
        page.emulate_media(color_scheme=theme)
        found = shown.evaluate(f"axe.run({json.dumps(options)})")["violations"]
        told = [
            (v["id"], v["help"], [n["html"][:160] for n in v["nodes"][:3]]) for v in found if v["impact"] in SERIOUS
        ]
        assert not told, (name, theme, told)
