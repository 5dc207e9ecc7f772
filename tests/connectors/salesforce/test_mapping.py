"""Any record of any object becomes one of ours, and nothing of it is lost."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.salesforce.mapping import COLLECTIONS, Org, selected, to_document
from crmplugin.domain.records import build
from tests.fakes.salesforce import DEAL, REP

VALUES = (
    st.none() | st.text(max_size=12) | st.integers() | st.booleans()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.dictionaries(st.sampled_from(["Name", "Email", "records", "Id"]), st.none() | st.text(max_size=5), max_size=2)
    | st.lists(st.integers(), max_size=2)
)  # fmt: skip


@pytest.mark.parametrize("kind", COLLECTIONS)
@settings(max_examples=20, deadline=None)
@given(data=st.data())
def test_any_record_is_mapped_and_nothing_unknown_is_lost(kind, data):
    names = [path.partition(".")[0] for path in selected(kind, Org()) if path != "Id"]
    thing = data.draw(st.dictionaries(st.sampled_from(names), VALUES)) | {"Id": DEAL, "Odd__c": "kept"}

    document = to_document(kind, thing, Org(currency="EUR", our_user=REP))

    build(COLLECTIONS[kind], document)
    assert document["id"] == DEAL
    assert document["x_salesforce"]["Odd__c"] == "kept"
