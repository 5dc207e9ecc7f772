"""The command line with the fake CRM among the known ones. In haste, waits are as short as the fakes are quick."""

from __future__ import annotations

import os
from datetime import timedelta

from crmplugin.cli import main as run
from crmplugin.journeys import write_back
from crmplugin.work import engine, sweeps, workflows
from tests.fakes.connector import register


def main() -> None:
    register()
    if os.environ.get("TEST_IN_HASTE"):
        workflows.RETRY_DELAYS_S = (0.5, 1, 1, 2, 2, 3, 3, 3, 3, 3)
        sweeps.EVERY_S = 3.0
        engine.STOP_TIMEOUT_S = 1.0
        # The fake CRM takes nothing later than a second after the call.
        write_back.UNSURE = timedelta(seconds=3)
    run()
