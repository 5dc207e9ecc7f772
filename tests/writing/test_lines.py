"""The line form of a model's answer, read as it streams."""

from __future__ import annotations

import pytest

from crmplugin.domain.draft import Sentence
from crmplugin.errors import ModelUnusable
from crmplugin.writing.lines import LineReader, read_line, write_lines


def test_a_line_gives_role_ids_and_text():
    assert read_line("claim\tQ-1.total, Q-1.number\tIt is 12 EUR.") == Sentence(
        "It is 12 EUR.", "claim", ("Q-1.total", "Q-1.number")
    )


@pytest.mark.parametrize("line", ["", "```", "Here is the message:", "greeting\t\tHello", "claim\tQ-1", "claim\t\t "])
def test_chatter_is_no_line(line: str):
    assert read_line(line) is None


def test_a_literal_tab_mark_counts_as_a_tab():
    assert read_line("ask\\t\\tShall we go on?") == Sentence("Shall we go on?", "ask")


def test_text_streams_after_the_second_tab_only():
    reader = LineReader()
    events = [e for piece in ("cla", "im\tQ", "-1\tHel", "lo.\nas", "k\t\tOk?") for e in reader.feed(piece)]
    events += reader.finish()

    assert [v for k, v in events if k == "text"] == ["Hel", "lo.", "Ok?"]
    assert [s.role for s in reader.sentences] == ["claim", "ask"]


def test_an_answer_without_a_line_is_unusable():
    reader = LineReader()
    list(reader.feed("I cannot do that."))

    with pytest.raises(ModelUnusable):
        list(reader.finish())


def test_an_endless_answer_is_unusable():
    reader = LineReader()

    with pytest.raises(ModelUnusable):
        list(reader.feed("claim\t\tmore\n" * 100))


def test_sentences_go_back_into_lines():
    assert write_lines([Sentence("A.", "claim", ("x", "y"))]) == "claim\tx,y\tA."
