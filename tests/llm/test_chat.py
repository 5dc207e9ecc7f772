"""The door to a model against a real server on the loopback address."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from crmplugin.errors import ModelError, ModelUnavailable
from crmplugin.llm.chat import open_chat, probe
from crmplugin.llm.scripted import Reply, replies, scripted_model
from crmplugin.ports import Message
from crmplugin.settings import ModelSettings


def settings(base_url: str, **changes) -> ModelSettings:
    given = {
        "name": "scripted",
        "api_key": "k",
        "base_url": base_url,
        "connect_timeout_s": Decimal(1),
        "timeout_s": Decimal(1),
        "max_tokens": 300,
        "temperature": Decimal("0.3"),
        "calls_at_once": 4,
        "masking": True,
        "input_price": None,
        "output_price": None,
    }
    return ModelSettings(**{**given, **changes})


def ask(model, text: str = "hello", private: tuple[str, ...] = ()) -> str:
    return "".join(open_chat(settings(model.base_url)).stream([Message("user", text)], private=private).pieces)


def test_an_answer_comes_whole_with_its_usage():
    with scripted_model(replies("claim\tQ-1.total\tThe total is 12 EUR.")) as model:
        answer = open_chat(settings(model.base_url)).stream([Message("user", "x")])

        assert "".join(answer.pieces) == "claim\tQ-1.total\tThe total is 12 EUR."
        assert answer.usage()[1] == 9


def test_nothing_private_leaves_and_all_of_it_comes_back():
    def echo(body):
        return Reply(body["messages"][0]["content"])

    text = "Dana Reyes (dana.reyes@orbis.example, +49 30 901820) of Orbis Dairy wrote; DANA is in."
    with scripted_model(echo) as model:
        answer = ask(model, text, ("Dana Reyes", "Dana", "Reyes", "Orbis Dairy"))

    sent = model.requests[0]["messages"][0]["content"]
    assert answer == text
    for secret in ("dana", "reyes", "orbis", "901820", "@"):
        assert secret not in sent.lower()


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_failing_endpoint_is_unavailable(status: int):
    with scripted_model(replies(Reply(status=status, headers={"Retry-After": "7"}))) as model:
        with pytest.raises(ModelUnavailable) as caught:
            ask(model)

        assert caught.value.retryable
        assert caught.value.retry_after_s == (7 if status == 429 else None)


def test_a_refused_key_says_what_to_set():
    with scripted_model(replies(Reply(status=401))) as model, pytest.raises(ModelError, match="OPENAI_API_KEY"):
        ask(model)


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_nothing_is_sent_on_to_where_the_endpoint_points(status: int):
    with scripted_model(replies("elsewhere")) as elsewhere:
        there = {"Location": f"{elsewhere.base_url}/chat/completions"}
        turned = Reply(status=status, headers=there)
        with scripted_model(replies(turned)) as model, pytest.raises(ModelError, match="sends calls elsewhere"):
            ask(model)

        assert elsewhere.requests == []


def test_silence_ends_at_the_timeout():
    with scripted_model(replies(Reply("late", first_s=2))) as model, pytest.raises(ModelUnavailable, match="in time"):
        ask(model)


def test_a_slow_drip_ends_at_the_timeout():
    with scripted_model(replies(Reply("x" * 600, piece_s=0.1))) as model, pytest.raises(ModelUnavailable):
        ask(model)


def test_a_cut_stream_is_not_an_answer():
    with scripted_model(replies(Reply("a" * 100, cut_after=2))) as model, pytest.raises(ModelUnavailable, match="cut"):
        ask(model)


@contextmanager
def endpoint_that_says(data: str) -> Iterator[str]:
    """The address of a server whose every answer is one server-sent event with this data."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(200)
            self.send_header("Content-Type", "text/event-stream")
            self.end_headers()
            self.wfile.write(f"data: {data}\n\n".encode())

        def log_message(self, *_: object) -> None:
            """Nothing is printed."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/v1"
        server.shutdown()


@pytest.mark.parametrize(
    "data",
    [
        "<html>login</html>",
        "[]",
        "7",
        '{"choices": [null]}',
        '{"choices": 7}',
        '{"choices": [{"delta": "x"}]}',
        '{"choices": [{"delta": {"content": 5}}]}',
        '{"usage": "none"}',
        '{"usage": {"prompt_tokens": "many"}}',
    ],
)
def test_what_is_no_completion_is_an_endpoint_that_fails(data: str):
    with endpoint_that_says(data) as url, pytest.raises(ModelUnavailable, match="something else"):
        list(open_chat(settings(url)).stream([Message("user", "x")]).pieces)


def test_an_unknown_parameter_is_dropped_for_good():
    script = replies(Reply(status=400, error="Unsupported parameter: 'temperature'"), Reply("fine"))
    with scripted_model(script) as model:
        assert ask(model) == "fine"

    assert "temperature" in model.requests[0]
    assert "temperature" not in model.requests[1]


def test_five_failures_open_the_breaker():
    with scripted_model(replies(Reply(status=500))) as model:
        chat = open_chat(settings(model.base_url))
        for _ in range(5):
            with pytest.raises(ModelUnavailable):
                list(chat.stream([Message("user", "x")]).pieces)
        with pytest.raises(ModelUnavailable, match="in a row"):
            chat.stream([Message("user", "x")])

    assert len(model.requests) == 5


def test_nobody_there_is_said():
    with pytest.raises(ModelUnavailable, match="cannot be reached"):
        list(open_chat(settings("http://127.0.0.1:9/v1")).stream([Message("user", "x")]).pieces)


def test_probe_names_the_mend():
    with scripted_model(replies(Reply(status=404))) as model:
        good, text = probe(settings(model.base_url))

    assert not good
    assert "CRMPLUGIN_MODEL" in text
