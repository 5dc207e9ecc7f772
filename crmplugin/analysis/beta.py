"""Beta distribution in the standard library: what a share may be after few cases. Proportions are 0 to 1.

Regularised incomplete beta by its continued fraction (Abramowitz and Stegun 26.5.8, Lentz's method).
"""

from __future__ import annotations

from math import exp, lgamma, log

_TINY = 1e-300
_STEPS = 2000


def beta_cdf(x: float, a: float, b: float) -> float:
    """P(X <= x) for X ~ Beta(a, b)."""
    if x <= 0 or x >= 1:
        return 0.0 if x <= 0 else 1.0
    front = exp(lgamma(a + b) - lgamma(a) - lgamma(b) + a * log(x) + b * log(1 - x))
    if x < (a + 1) / (a + b + 2):
        return front * _fraction(x, a, b) / a
    return 1 - front * _fraction(1 - x, b, a) / b


def beta_quantile(p: float, a: float, b: float) -> float:
    """The x with P(X <= x) = p, by halving."""
    low, high = 0.0, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if beta_cdf(middle, a, b) < p else (low, middle)
    return (low + high) / 2


def beta_beats(first: tuple[float, float], second: tuple[float, float]) -> float:
    """P(X > Y) for independent X ~ Beta(*first), Y ~ Beta(*second), by the midpoint rule."""
    a, b = first
    total = 0.0
    for i in range(_STEPS):
        x = (i + 0.5) / _STEPS
        density = exp(lgamma(a + b) - lgamma(a) - lgamma(b) + (a - 1) * log(x) + (b - 1) * log(1 - x))
        total += density * beta_cdf(x, *second)
    return total / _STEPS


def _fraction(x: float, a: float, b: float) -> float:
    c, d = 1.0, 1 / (1 - (a + b) * x / (a + 1) or _TINY)
    value = d
    for m in range(1, 300):
        for numerator in (
            m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)),
            -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1)),
        ):
            d = 1 / (1 + numerator * d or _TINY)
            c = 1 + numerator / c or _TINY
            value *= c * d
        if abs(c * d - 1) < 1e-14:
            break
    return value
