"""A learned recommender as plain data, so that it can be kept and taken up again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import numpy as np

from crmplugin.analysis.fit.logistic import Logistic
from crmplugin.analysis.fit.measure import Quality
from crmplugin.analysis.fit.recommender import Chooser, Recommender
from crmplugin.analysis.neighbours import Upcf
from crmplugin.analysis.tifuknn import Tifu

FORM = 1
"""Raised when what is learned changes its shape: an older fit is then learned anew instead of read."""


def recommender_document(found: Recommender) -> dict[str, Any]:
    """The recommender as JSON values."""
    return {
        "form": FORM,
        "tifu": asdict(found.tifu),
        "upcf": asdict(found.upcf),
        "repeat": _chooser_document(found.repeat),
        "new": _chooser_document(found.new),
        "merge": found.merge,
        "n": found.n,
    }


def read_recommender(document: Mapping[str, Any]) -> Recommender | None:
    """The recommender of a document; None when it is of another form."""
    if document.get("form") != FORM:
        return None
    return Recommender(
        tifu=Tifu(**document["tifu"]),
        upcf=Upcf(**document["upcf"]),
        repeat=_read_chooser(document["repeat"]),
        new=_read_chooser(document["new"]),
        merge=document["merge"],
        n=document["n"],
    )


def _chooser_document(chooser: Chooser) -> dict[str, Any]:
    model = chooser.model
    return {
        "method": chooser.method,
        "curve": chooser.curve.tolist(),
        "model": model and {name: getattr(model, name).tolist() for name in ("centre", "scale", "weights")},
        "measured": {name: asdict(quality) for name, quality in chooser.measured.items()},
    }


def _read_chooser(document: Mapping[str, Any]) -> Chooser:
    model = document["model"]
    return Chooser(
        method=document["method"],
        curve=np.array(document["curve"]),
        model=Logistic(**{name: np.array(values) for name, values in model.items()}) if model else None,
        measured={name: Quality(**quality) for name, quality in document["measured"].items()},
    )
