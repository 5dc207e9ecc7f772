"""What a process measures of itself, for Prometheus. What all processes share is counted in the store when asked."""

from __future__ import annotations

from prometheus_client import Counter, Histogram

FAST_S = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 5.0)
SLOW_S = (0.1, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 40.0, 80.0)

ACKS = Histogram(
    "crmplugin_ack_seconds", "From a webhook's arrival to its answer.", ["connection", "status"], buckets=FAST_S
)
MODEL_CALLS = Histogram("crmplugin_model_seconds", "Calls of the model, to their end.", ["outcome"], buckets=SLOW_S)
CRM_CALLS = Histogram("crmplugin_crm_call_seconds", "Calls of CRMs.", ["crm", "connection", "status"], buckets=FAST_S)
REAPS = Counter("crmplugin_reaps", "Processes found gone, whose jobs were taken over.")
RETRIES = Counter("crmplugin_job_retries", "Jobs that will be tried again, by kind and why.", ["kind", "why"])
"""`why`: `wait` when a time was named, `failed` otherwise, `dead` when there is no next time."""
REFUSALS = Counter("crmplugin_refusals", "Requests refused because disk or memory is nearly full.", ["what"])
