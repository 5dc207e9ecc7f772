"""Every error we raise on purpose. A message says what was expected, what came, and what to do; callers look at the
class, never at the text.

    CrmPluginError            code, retryable
    ├── UsageError            the caller asked for something that cannot be (exit 1, HTTP 422)
    │   ├── NotFound          no such connection, record, draft, event (404)
    │   └── RecordProblem     one record of an import breaks the format: key, expected, got
    ├── SettingsError         the settings file or environment is wrong; the start stops
    ├── StateConflict         the draft is not in a state or version that allows it (409)
    │   └── SpendingRefused   the day's limit on model calls would be passed, and no template may take over
    ├── AccessDenied          signed in, but not allowed (403)
    ├── TooManyTries          too many sign-ins failed from one place (429, retryable)
    ├── NotGenuine            whatever fails verification of a webhook or a launch (401)
    ├── Unreadable            genuine, but not understood (stored and ignored, or 400)
    ├── TooLarge              more than we take at once (413)
    ├── StoreError            the database refused or is full (503, retryable)
    │   └── Overloaded        disk or memory is nearly full, so nothing new is taken (503, retryable)
    ├── ModelError            the model gave nothing usable
    │   ├── ModelUnavailable  timeout, 429, 5xx, cut stream (retryable; the template writer takes over)
    │   ├── ModelUnusable     the answer breaks the line form twice
    │   └── SpendingLimitReached  the day's limit would be passed; the template writer takes over
    └── CrmError              a CRM call failed (502)
        ├── CrmUnavailable    retryable; `retry_after_s` when the CRM says so
        └── CrmRefused        the CRM says no; trying again cannot help
"""

from __future__ import annotations


class CrmPluginError(Exception):
    """Base of all; `code` is stable, `retryable` says whether trying again can help."""

    code = "error"
    retryable = False


class UsageError(CrmPluginError):
    code = "invalid"


class NotFound(UsageError):
    code = "not_found"


class RecordProblem(UsageError):
    """A record breaks the format. `key` is the path of the field (`lines[2].quantity`)."""

    code = "bad_record"

    def __init__(self, key: str, expected: str, got: object) -> None:
        self.key, self.expected, self.got = key, expected, got
        super().__init__(f"{key}: expected {expected}, got {_short(got)}")


class SettingsError(CrmPluginError):
    code = "bad_settings"


class StateConflict(CrmPluginError):
    code = "conflict"


class SpendingRefused(StateConflict):
    code = "spending_refused"


class AccessDenied(CrmPluginError):
    code = "forbidden"


class TooManyTries(CrmPluginError):
    """`retry_after_s`: when it is worth trying again."""

    code = "too_many_tries"
    retryable = True

    def __init__(self, message: str, retry_after_s: float | None = None) -> None:
        self.retry_after_s = retry_after_s
        super().__init__(message)


class NotGenuine(CrmPluginError):
    code = "not_genuine"


class Unreadable(CrmPluginError):
    code = "unreadable"


class TooLarge(CrmPluginError):
    code = "too_large"


class StoreError(CrmPluginError):
    code = "store_unavailable"
    retryable = True


class Overloaded(StoreError):
    code = "overloaded"


class ModelError(CrmPluginError):
    code = "model_failed"


class ModelUnavailable(ModelError):
    code = "model_unavailable"
    retryable = True

    def __init__(self, message: str, retry_after_s: float | None = None) -> None:
        self.retry_after_s = retry_after_s
        super().__init__(message)


class ModelUnusable(ModelError):
    code = "model_unusable"


class SpendingLimitReached(ModelError):
    code = "spending_limit"


class CrmError(CrmPluginError):
    code = "crm_failed"


class CrmUnavailable(CrmError):
    code = "crm_unavailable"
    retryable = True

    def __init__(self, message: str, retry_after_s: float | None = None) -> None:
        self.retry_after_s = retry_after_s
        super().__init__(message)


class CrmRefused(CrmError):
    code = "crm_refused"


def _short(value: object, limit: int = 80) -> str:
    text = repr(value)
    return text if len(text) <= limit else text[: limit - 1] + "…"
