"""Campaign messages a second: by the template writer, and by a scripted model with a fixed delay against its limits.

    python -m bench.campaigns [recipients]

The personal way has two limits: the rate that the owner set for the model (`model_calls_per_second`), and without one,
lanes divided by the model's delay: what the model could take if we cost nothing.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Mapping
from tempfile import TemporaryDirectory
from typing import Any

from crmplugin.journeys import campaign_run, campaigns
from crmplugin.llm.scripted import Reply, scripted_model
from crmplugin.settings import load_settings
from crmplugin.store.access import Principal
from crmplugin.wiring import Assistant
from crmplugin.work.office import Office
from tests.campaigns.conftest import make_wish, make_world
from tests.web.conftest import documents

DELAY_S = 1.0
RATE = 10
"""Calls a second that the owner allows."""
MARKETER = Principal("bench", "marketing")


def timed_run(recipients: int, mode: str, environment: Mapping[str, str]) -> float:
    """Seconds that the messages of one campaign took, all lanes beside each other."""
    with TemporaryDirectory() as folder:
        environ = {"CRMPLUGIN_CONFIG": "", "CRMPLUGIN_VAR": folder, **environment}
        office = Office(Assistant(load_settings(environ)), work=False)
        try:
            office.desk.records.upsert_many("local", documents(make_world(recipients)))
            made = campaigns.create_campaign(office.desk, make_wish(mode=mode), MARKETER)
            campaigns.approve_campaign(office.desk, made.id, MARKETER)
            started = campaign_run.start_campaign(office.desk, made.id, MARKETER)
            return _lanes(office, started)
        finally:
            office.close()


def _lanes(office: Office, campaign: Any) -> float:
    lanes = [
        threading.Thread(
            target=campaign_run.run_lane, args=(office.desk, campaign.id), kwargs={"run": campaign.run, "lane": n}
        )
        for n in range(campaign_run.LANES[campaign.mode])
    ]
    before = time.monotonic()
    for lane in lanes:
        lane.start()
    for lane in lanes:
        lane.join()
    return time.monotonic() - before


def main() -> None:
    recipients = int(sys.argv[1]) if len(sys.argv) > 1 else 240
    seconds = timed_run(recipients, "merge", {})
    print(f"template writer  {recipients} recipients in {seconds:.1f} s: {recipients / seconds:.0f} a second")
    lanes = campaign_run.LANES["personal"] / DELAY_S
    against_limit(recipients, lanes, f"{campaign_run.LANES['personal']} lanes", {})
    against_limit(recipients, RATE, "set by the owner", {"CRMPLUGIN_MODEL_CALLS_PER_SECOND": str(RATE)})


def against_limit(recipients: int, most: float, whose: str, settings: Mapping[str, str]) -> None:
    """Prints how much of a limit in calls a second one campaign used."""
    with scripted_model(lambda body: Reply("subject\t\tA short question", first_s=DELAY_S)) as model:
        seconds = timed_run(recipients, "personal", {**model.environment, **settings})
        rate = len(model.requests) / seconds
    told = f"{rate:.1f} calls a second of {most:.0f} ({whose}; {rate / most:.0%})"
    print(f"scripted model   {recipients} recipients in {seconds:.1f} s: {told}, delay {DELAY_S} s")


if __name__ == "__main__":
    main()
