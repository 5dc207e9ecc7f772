"""Files of records: a JSON document or JSON Lines, each entry with its line."""

from __future__ import annotations

import io
import json

import pytest

from crmplugin.domain.record_files import Entry, NotRecords, read_document, walk_document


def found_in(text: str | bytes) -> list[tuple[int | None, str, object]]:
    return [(e.line, e.collection, str(e.problem) if e.problem else e.raw) for e in read_document(text)]


def refusal_of(text: str | bytes) -> NotRecords:
    with pytest.raises(NotRecords) as caught:
        list(read_document(text))
    return caught.value


DOCUMENT = """{
  "format": "crmplugin-records/1",
  "seller": {"name": "Halden"},
  "x_note": {"anything": []},
  "contacts": [
    {"id": "C-1"},
    {"id": "C-2",
     "email": "a@b.example"}, {"id": "C-3"}
  ],
  "deals": []
}
"""


def test_document_gives_each_record_with_the_line_it_begins_in() -> None:
    assert found_in(DOCUMENT) == [
        (3, "seller", {"name": "Halden"}),
        (6, "contacts", {"id": "C-1"}),
        (7, "contacts", {"id": "C-2", "email": "a@b.example"}),
        (8, "contacts", {"id": "C-3"}),
    ]


def test_document_on_one_line_is_read() -> None:
    assert found_in('{"deals":[{"id":"D-1"}]}') == [(1, "deals", {"id": "D-1"})]


def test_byte_order_mark_and_blank_lines_before_are_skipped() -> None:
    assert found_in(b"\xef\xbb\xbf\r\n\r\n" + b'{"deals": [{"id": "D-1"}]}') == [(3, "deals", {"id": "D-1"})]


def test_lines_name_their_collection() -> None:
    text = '{"record": "deals", "id": "D-1"}\n\n{"record": "voice", "person": "we"}'

    assert found_in(text) == [(1, "deals", {"id": "D-1"}), (3, "voice", {"person": "we"})]


def test_lines_may_begin_with_their_format() -> None:
    text = '{"format": "crmplugin-records/1"}\n{"record": "deals", "id": "D-1"}\n'

    assert found_in(text) == [(2, "deals", {"id": "D-1"})]


def test_bad_line_in_the_middle_is_one_problem() -> None:
    text = '{"record": "deals", "id": "D-1"}\n{"record": "deals", \n{"record": "deals", "id": "D-2"}\n'

    entries = list(read_document(text))

    assert [(e.line, e.problem is None) for e in entries] == [(1, True), (2, False), (3, True)]


def test_bad_first_line_does_not_hide_the_others() -> None:
    text = 'oops\n{"record": "deals", "id": "D-2"}\n'

    entries = list(read_document(text))

    assert [(e.line, e.problem is None) for e in entries] == [(1, False), (2, True)]


def test_line_that_is_not_utf8_is_one_problem() -> None:
    text = b'{"record": "deals", "id": "D-1"}\n{"record": "deals", "id": "\xff"}\n'

    entries = list(read_document(text))

    assert str(entries[1].problem) == ": expected text in UTF-8, got 'the byte 0xff'"


@pytest.mark.parametrize(
    ("line", "key"),
    [('{"id": "D-1"}', "record"), ('{"record": "deal", "id": "D-1"}', "record"), ('["deals"]', ""), ("7", "")],
)
def test_line_without_a_known_collection_is_refused(line: str, key: str) -> None:
    problem = list(read_document('{"record": "deals", "id": "D-1"}\n' + line))[1].problem

    assert problem is not None
    assert problem.key == key


def test_unknown_collection_of_a_document_is_refused_by_name() -> None:
    assert found_in('{"contcts": [{"id": "C-1"}]}') == [
        (1, "contcts", "contcts: expected a key of crmplugin-records/1 (did you mean \"contacts\"?), got 'contcts'")
    ]


def test_collection_that_is_no_list_is_refused() -> None:
    assert found_in('{"deals": {"id": "D-1"}}') == [(1, "deals", "deals: expected a list, got {'id': 'D-1'}")]


def test_null_collection_is_an_absent_one() -> None:
    assert found_in('{"deals": null, "policy": null}') == []


BROKEN = {
    "empty": ("", 1),
    "only spaces": (" \n\n ", 1),
    "no JSON": ("Dear all,\nplease find attached\n", 1),
    "a table": ("id;name\n1;Orbis\n", 1),
    "cut off": (DOCUMENT[:-30], 8),
    "comma missing": ('{\n"deals": [{"id": "D-1"}\n{"id": "D-2"}]}', 3),
    "two documents": ('{"deals": []}\n{"deals": []}', 2),
    "a list": ('[{"id": "D-1"}]', 1),
    "a text": ('"deals"', 1),
    "other format": ('{\n"format": "crmplugin-records/2", "deals": []}', 2),
    "format after the records": ('{"deals": [{"id": "D-1"}],\n"format": 1}', 2),
    "UTF-16": ('{"deals": []}'.encode("utf-16"), 1),
    "lone surrogate": ('{"deals": [{"id": "\ud800"}]}', 1),
    "very deep": ('{"x_deep": ' + "[" * 100_000, 1),
    "endless number": ('{"deals": [{"id": "D-1", "probability": ' + "9" * 5_000 + "}]}", 1),
}


@pytest.mark.parametrize(("text", "line"), BROKEN.values(), ids=BROKEN)
def test_broken_file_is_refused_with_its_line(text: str | bytes, line: int) -> None:
    assert refusal_of(text).line == line


def test_parsed_document_is_walked_without_lines() -> None:
    entries = list(walk_document(json.loads(DOCUMENT)))

    assert entries[0] == Entry(None, "seller", {"name": "Halden"})
    assert len(entries) == 4


def test_lines_are_read_one_by_one() -> None:
    class Endless(io.RawIOBase):
        def __iter__(self) -> Endless:
            return self

        def __next__(self) -> bytes:
            return b'{"record": "deals", "id": "D-1"}\n'

    entries = read_document(Endless())  # type: ignore[arg-type]

    assert [next(entries).line for _ in range(3)] == [1, 2, 3]
