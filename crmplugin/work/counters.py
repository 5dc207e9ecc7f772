"""What a process counts about its work, for Prometheus."""

from __future__ import annotations

from prometheus_client import Counter

REAPS = Counter("crmplugin_reaps", "Processes found gone, whose jobs were taken over.")
