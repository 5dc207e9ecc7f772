"""UP-CF@r and TIFU-KNN on the small cases of sales-craft §2.3, and what both must never depend on."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crmplugin.analysis.baskets import Baskets, make_baskets
from crmplugin.analysis.fit.recommender import fit, rank
from crmplugin.analysis.neighbours import (
    Upcf,
    make_crowd,
    nearest_by_cosine,
    nearest_by_distance,
    similarities,
    upcf_scores,
    upcf_vectors,
)
from crmplugin.analysis.tifuknn import Tifu, tifu_vectors

A, B, C, D = range(4)
ROWS = np.arange(1)


def baskets_of(*customers: list[set[int]], items: int = 4) -> Baskets:
    return make_baskets([dict(enumerate(one, start=1)) for one in customers], items=items)


def test_upcf_similarity_and_score():
    both = baskets_of([{A, B}, {A}, {A, C}], [{A, D}, {A, B}])
    crowd = make_crowd(upcf_vectors(both, Upcf(recent=10)))

    cosine = similarities(crowd, ROWS, asymmetry=0.5)
    near = nearest_by_cosine(crowd, ROWS, k=1, asymmetry=0.5)
    scores = upcf_scores(crowd, near, power=5.0).toarray()[0]

    assert crowd.vectors[0].toarray()[0] == pytest.approx([1, 1 / 3, 1 / 3, 0])
    assert crowd.vectors[1].toarray()[0] == pytest.approx([1, 1 / 2, 0, 1 / 2])
    assert round(float(cosine[0, 1]), 3) == 0.862
    assert round(float(cosine[0, 1]) ** 5, 3) == 0.475
    assert round(float(scores[D]), 3) == 0.237


def test_upcf_looks_at_the_newest_baskets_only():
    both = baskets_of([{A, B}, {A}, {A, C}], [{A, D}])

    vectors = upcf_vectors(both, Upcf(recent=2)).toarray()

    assert vectors[0] == pytest.approx([1, 0, 1 / 2, 0])


def test_tifu_vector_and_prediction():
    p = Tifu(groups=2, within=0.9, across=0.7, own=0.7, neighbours=2)
    crowd = make_crowd(tifu_vectors(baskets_of([{A, B}, {A}, {A, C}, {A, B}], [{A, D}, {A, D}], [{A, B}, {A, D}]), p))

    own = crowd.vectors[0].toarray()[0]
    others = (nearest_by_distance(crowd, ROWS, k=2) @ crowd.peers).toarray()[0]

    assert own == pytest.approx([0.8075, 0.4075, 0.225, 0], abs=1e-6)
    predicted = p.own * own + (1 - p.own) * others
    assert predicted == pytest.approx([0.820, 0.338, 0.158, 0.203], abs=0.0006)


def test_a_short_history_does_not_shrink_in_the_form_of_the_paper():
    one = baskets_of([{A}])

    assert tifu_vectors(one, Tifu(groups=4)).toarray()[0, A] == 1
    assert tifu_vectors(one, Tifu(groups=4, form="code")).toarray()[0, A] == pytest.approx(0.343)
    two = baskets_of([{A}, {B}])
    assert tifu_vectors(two, Tifu(groups=4)).toarray()[0, B] == pytest.approx(0.5)


def test_neighbours_of_very_many_are_looked_for_among_some():
    crowd = make_crowd(upcf_vectors(baskets_of(*[[{A}, {B}]] * 9), Upcf()), most=3)

    near = nearest_by_cosine(crowd, np.array([0, 1]), k=5, asymmetry=0.5).toarray()

    assert crowd.members.tolist() == [0, 4, 8]
    assert (near > 0).tolist() == [[False, True, True], [True, True, True]]


histories = st.lists(
    st.lists(st.sets(st.integers(0, 7), min_size=1, max_size=4), min_size=0, max_size=5), min_size=1, max_size=12
)


@settings(max_examples=30)
@given(histories)
def test_later_dates_change_no_list(customers):
    early = make_baskets([dict(enumerate(one)) for one in customers], items=8)
    late = make_baskets([{day + 365: items for day, items in enumerate(one)} for one in customers], items=8)

    assert lists(early) == lists(late)


@settings(max_examples=30)
@given(histories)
def test_the_order_of_customers_changes_no_list(customers):
    forward = make_baskets([dict(enumerate(one)) for one in customers], items=8)
    backward = make_baskets([dict(enumerate(one)) for one in reversed(customers)], items=8)

    assert lists(forward) == lists(backward)[::-1]


def lists(baskets: Baskets) -> list[tuple[int, ...]]:
    found = {r.customer: r.items for r in rank(fit(baskets), baskets, top=5)}
    return [found[row] for row in range(baskets.customers)]


def test_a_list_is_as_long_as_asked_or_names_everything():
    few = baskets_of([{A}, {A, B}], [{C}], [])

    assert [len(items) for items in lists(few)] == [4, 4, 4]
