"""Whether an account still buys (sales-craft §2.6): its own rhythm, or BG/NBD where enough accounts buy again.

BG/NBD: Fader, Hardie, Lee: "Counting Your Customers" the Easy Way, Marketing Science 2005. x is the number of repeat
purchases, t_x the time of the last one and T the time observed, both since the first, in any one unit of time. For
customers without a contract only: who pays by contract is alive until it ends.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from math import exp, log
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    # Only the fit needs arrays; reading a chance must not cost a command the time to load them.
    import numpy as np
    from numpy.typing import NDArray

LEAST_REPEAT_ACCOUNTS = 100
AT_RISK_RHO, LAPSED_RHO = Decimal(2), Decimal(3)
LAPSED_DAYS = 365
"""Without a rhythm of its own an account has lapsed after a year without an order."""
LOW_ALIVE = Decimal("0.25")
"""Below this chance an account counts as lapsed."""
DAYS_OF_A_WEEK = 7

State = Literal["active", "at risk", "lapsed"]


@dataclass(frozen=True, slots=True)
class BgNbd:
    """r, alpha: how buying rates spread over customers; a, b: how the chance to leave after a purchase does."""

    r: float
    alpha: float
    a: float
    b: float


@dataclass(frozen=True, slots=True)
class Buyer:
    """Repeat purchases, time of the last and time observed."""

    x: int
    t_x: float
    observed: float


def state_of_rhythm(rho: Decimal) -> State:
    """From days since the last order over the account's own median gap; used below 100 repeat accounts."""
    if rho > LAPSED_RHO:
        return "lapsed"
    return "at risk" if rho > AT_RISK_RHO else "active"


def buyer_of(days: Sequence[date], *, today: date) -> Buyer:
    """A buyer from its distinct purchase days (at least one), in weeks."""
    first, last = min(days), max(days)
    weeks = DAYS_OF_A_WEEK
    return Buyer(len(set(days)) - 1, (last - first).days / weeks, (today - first).days / weeks)


def may_fit(buyers: Sequence[Buyer]) -> bool:
    """Whether enough accounts bought again for the model to be allowed."""
    return sum(b.x > 0 for b in buyers) >= LEAST_REPEAT_ACCOUNTS


def fit_bgnbd(buyers: Sequence[Buyer]) -> BgNbd:
    """The parameters of maximum likelihood. Raises ValueError when fewer than 100 accounts bought again."""
    import numpy as np
    from scipy.optimize import minimize

    if not may_fit(buyers):
        raise ValueError(f"BG/NBD needs {LEAST_REPEAT_ACCOUNTS} accounts that bought again")
    columns = (np.array([getattr(b, name) for b in buyers], dtype=np.float64) for name in ("x", "t_x", "observed"))
    x, t_x, observed = columns
    # Times are scaled to about 1, so that one start suits every unit; alpha is scaled back.
    scale = float(observed.mean()) or 1.0

    def loss(logs: NDArray[np.float64]) -> float:
        return -float(_log_likelihood(np.exp(logs), x, t_x / scale, observed / scale).mean())

    found = minimize(loss, np.zeros(4), method="L-BFGS-B", bounds=[(-8, 8)] * 4)
    r, alpha, a, b = (float(v) for v in np.exp(found.x))
    return BgNbd(r, alpha * scale, a, b)


def _log_likelihood(
    p: NDArray[np.float64], x: NDArray[np.float64], t_x: NDArray[np.float64], observed: NDArray[np.float64]
) -> NDArray[np.float64]:
    import numpy as np
    from scipy.special import gammaln

    r, alpha, a, b = p
    common = gammaln(r + x) - gammaln(r) + r * np.log(alpha)
    common += gammaln(a + b) + gammaln(b + x) - gammaln(b) - gammaln(a + b + x)
    alive = -(r + x) * np.log(alpha + observed)
    gone = np.log(a) - np.log(b + np.maximum(x, 1) - 1) - (r + x) * np.log(alpha + t_x)
    total: NDArray[np.float64] = common + np.where(x > 0, np.logaddexp(alive, gone), alive)
    return total


def p_alive(model: BgNbd, buyer: Buyer) -> float:
    """The chance that the customer still buys; 1 without a repeat purchase, which is no evidence of life."""
    if buyer.x == 0:
        return 1.0
    log_odds = (model.r + buyer.x) * log((model.alpha + buyer.observed) / (model.alpha + buyer.t_x))
    gone = model.a / (model.b + buyer.x - 1) * exp(min(log_odds, 700.0))
    return 1 / (1 + gone)


def expected_purchases(model: BgNbd, buyer: Buyer, t: float) -> float:
    """How many purchases to expect in the next t units of time."""
    from scipy.special import hyp2f1

    x, (r, alpha, a, b) = buyer.x, (model.r, model.alpha, model.a, model.b)
    until = alpha + buyer.observed
    shape = hyp2f1(r + x, b + x, a + b + x - 1, t / (until + t))
    factor = (a + b + x - 1) / (a - 1) * (1 - (until / (until + t)) ** (r + x) * shape)
    return float(factor * p_alive(model, buyer))
