"""Bytes become rows: encodings, delimiters, quoting, and what is refused."""

from __future__ import annotations

import io
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmplugin.errors import UsageError
from crmplugin.tables.reading import BadRow, Source, Table, read_table

UMLAUTS = 'Name;Ort\r\n"Müller; Söhne";Köln\r\n'


def table(data: bytes | str, encoding: str = "utf-8") -> Table:
    raw = data if isinstance(data, bytes) else data.encode(encoding)
    return read_table(Source("some.csv", lambda: io.BytesIO(raw)))


def rows(data: bytes | str, encoding: str = "utf-8") -> list[tuple[int, list[str]]]:
    return [(line, cells) for line, cells in table(data, encoding).rows() if not isinstance(cells, BadRow)]


def bad_rows(data: str) -> list[tuple[int, str]]:
    return [(line, cells.reason) for line, cells in table(data).rows() if isinstance(cells, BadRow)]


@pytest.mark.parametrize("data", [b"", b"\n\n", b"\xef\xbb\xbf", b"  \n"], ids=["nothing", "lines", "mark", "spaces"])
def test_an_empty_file_is_said_to_be_empty(data: bytes):
    with pytest.raises(UsageError, match="empty"):
        table(data)


def test_a_file_of_headings_alone_is_said_to_hold_nothing():
    with pytest.raises(UsageError, match=r"some\.csv: there is a row of headings and nothing below it"):
        table("Deal Name,Amount\n")


def test_headings_that_stand_twice_are_named():
    with pytest.raises(UsageError, match='"Amount" stands twice'):
        table("Amount,Name,amount \n1,2,3\n")


def test_nul_bytes_are_refused():
    with pytest.raises(UsageError, match="NUL bytes"):
        table(b"a,b\n1,\x002\n")


def test_utf_16_without_its_mark_is_refused_with_what_to_do():
    with pytest.raises(UsageError, match="save the file as CSV in UTF-8"):
        table("a,b\n1,2\n".encode("utf-16-le"))


def test_bytes_that_are_no_text_are_refused():
    with pytest.raises(UsageError, match="no text"):
        table(b"a,b\n\x81\xff,2\n")


def test_a_quote_that_is_never_closed_names_its_line():
    with pytest.raises(UsageError, match="line 3 is never closed"):
        list(table('a,b\n1,2\n"3,4\n5,6\n').rows())


def test_a_cell_beyond_all_bounds_is_refused():
    with pytest.raises(UsageError, match="more than 1,000,000 characters"):
        list(table("a,b\n1," + "x" * 1_000_001 + "\n").rows())


def test_ragged_rows_are_refused_by_line_and_the_others_stay():
    data = "a,b,c\n1,2,3\n4,5\n6,7,8\n9,10,11,12\n"

    assert rows(data) == [(2, ["1", "2", "3"]), (4, ["6", "7", "8"])]
    assert bad_rows(data) == [
        (3, "expected 3 cells as in the headings, got 2"),
        (5, "expected 3 cells as in the headings, got 4"),
    ]


def test_a_quote_inside_a_cell_refuses_its_row_alone():
    data = 'a,b\n1,"two" inches\n3,4\n'

    assert rows(data) == [(3, ["3", "4"])]
    assert bad_rows(data)[0][0] == 2


def test_empty_rows_are_passed_over_and_lines_still_count():
    assert rows("a,b\n\n1,2\n,\n \n3,4\n") == [(3, ["1", "2"]), (6, ["3", "4"])]


def test_quoted_newlines_delimiters_and_doubled_quotes_stand_as_written():
    assert rows('a,b\n"one\ntwo","say ""hi"", you"\nx,y\n') == [(2, ["one\ntwo", 'say "hi", you']), (4, ["x", "y"])]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_every_encoding_reads_the_same(encoding: str):
    assert rows(UMLAUTS, encoding) == [(2, ["Müller; Söhne", "Köln"])]


def test_utf_16_of_either_order_reads_the_same():
    for codec, mark in (("utf-16-le", b"\xff\xfe"), ("utf-16-be", b"\xfe\xff")):
        assert rows(mark + UMLAUTS.encode(codec)) == [(2, ["Müller; Söhne", "Köln"])]


@pytest.mark.parametrize("delimiter", [",", ";", "\t"], ids=["comma", "semicolon", "tab"])
def test_the_delimiter_is_decided_from_the_file(delimiter: str):
    lines = [["Name", "Price, net"], ["A", "1,5"], ["B", "2,25; about"]]
    data = "\n".join(delimiter.join(f'"{cell}"' if delimiter in cell else cell for cell in line) for line in lines)

    assert [cells for _, cells in rows(data)] == [["A", "1,5"], ["B", "2,25; about"]]


def test_prices_with_commas_do_not_make_the_comma_the_delimiter():
    assert table("Artikel;Preis\nA;1,50\nB;2,75\n").delimiter == ";"


def test_a_first_line_that_names_the_delimiter_is_believed():
    found = table("sep=;\r\nName;Notes\r\na;x, y\r\n")

    assert found.headings == ("Name", "Notes")
    assert list(found.rows()) == [(3, ["a", "x, y"])]


def test_one_column_is_a_table_too():
    assert rows("email\na@example.com\n") == [(2, ["a@example.com"])]


@given(st.binary(max_size=400))
def test_random_bytes_are_rows_or_one_kind_of_error(data: bytes):
    with suppress(UsageError):
        list(table(data).rows())


CELL = st.text(st.characters(blacklist_categories=("Cs", "Cc"), max_codepoint=0x2FFF), max_size=12).map(str.strip)


@given(
    st.lists(st.lists(CELL, min_size=3, max_size=3), min_size=1, max_size=8),
    st.sampled_from([",", ";", "\t"]),
    st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
    st.sampled_from(["\n", "\r\n", "\r"]),
)
def test_what_a_writer_quotes_comes_back_the_same(lines: list[list[str]], delimiter: str, encoding: str, end: str):
    quoted = [[f'"{cell.replace(chr(34), chr(34) * 2)}"' for cell in line] for line in [["a", "b", "c"], *lines]]
    data = end.join(delimiter.join(line) for line in quoted) + end
    filled = [line for line in lines if "".join(line).strip()]

    if filled:
        assert [cells for _, cells in rows(data, encoding)] == filled
