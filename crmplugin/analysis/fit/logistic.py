"""Logistic regression with a small ridge, by Newton's method: turns features of a pair into a chance."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from crmplugin.analysis.baskets import Floats

RIDGE = 1.0
STEPS = 30
ENOUGH = 1e-6
STEEPEST = 30.0


@dataclass(frozen=True)
class Logistic:
    """centre and scale standardise the features; `weights` ends with the constant."""

    centre: Floats
    scale: Floats
    weights: Floats

    def chances(self, features: Floats) -> Floats:
        """The chance of each row, 0 to 1."""
        z = ((features - self.centre) / self.scale) @ self.weights[:-1] + self.weights[-1]
        found: Floats = 1 / (1 + np.exp(-np.clip(z, -STEEPEST, STEEPEST)))
        return found


def fit_logistic(features: Floats, hits: Floats) -> Logistic:
    """The weights of the greatest penalised likelihood; the same rows in the same order give the same weights."""
    centre, spread = features.mean(axis=0), features.std(axis=0)
    scale: Floats = np.where(spread > 0, spread, 1.0)
    rows = np.column_stack([(features - centre) / scale, np.ones(len(features))])
    ridge = np.full(rows.shape[1], RIDGE)
    ridge[-1] = 1e-6
    weights: Floats = np.zeros(rows.shape[1])
    rate = (hits.sum() + 0.5) / (len(hits) + 1)
    weights[-1] = np.log(rate / (1 - rate))
    loss = _loss(rows, hits, weights, ridge)
    for _ in range(STEPS):
        step = _newton_step(rows, hits, weights, ridge)
        before, (weights, loss) = loss, _descend(rows, hits, weights, ridge, step, loss)
        if before - loss < ENOUGH * max(1.0, abs(before)):
            break
    return Logistic(centre, scale, weights)


def _newton_step(rows: Floats, hits: Floats, weights: Floats, ridge: Floats) -> Floats:
    chances: Floats = 1 / (1 + np.exp(-np.clip(rows @ weights, -STEEPEST, STEEPEST)))
    slope = rows.T @ (chances - hits) + ridge * weights
    bend = (rows * (chances * (1 - chances))[:, None]).T @ rows + np.diag(ridge)
    return np.asarray(np.linalg.solve(bend, slope), dtype=np.float64)


def _descend(
    rows: Floats, hits: Floats, weights: Floats, ridge: Floats, step: Floats, loss: float
) -> tuple[Floats, float]:
    """The first of ever shorter steps that makes the loss smaller; the old place when none does."""
    for share in (1.0, 0.5, 0.25, 0.1, 0.01):
        there = weights - share * step
        found = _loss(rows, hits, there, ridge)
        if found < loss:
            return there, found
    return weights, loss


def _loss(rows: Floats, hits: Floats, weights: Floats, ridge: Floats) -> float:
    z = rows @ weights
    return float((np.logaddexp(0, z) - hits * z).sum() + 0.5 * (ridge * weights * weights).sum())
