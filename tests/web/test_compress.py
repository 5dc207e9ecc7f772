"""Answers are sent small to whoever takes that, whole to others; streams never."""

from __future__ import annotations

import gzip

import pytest

GZIP = {"Accept-Encoding": "gzip, deflate"}


@pytest.fixture
def style(app):
    return f"{app.static_url_path}/pages.css"


def test_a_style_sheet_is_gzipped_and_kept_for_ever(client, style):
    with client.get(style) as plain, client.get(style, headers=GZIP) as small:
        whole, packed = plain.data, small.data

    assert small.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(packed) == whole
    assert small.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert "Accept-Encoding" in small.headers["Vary"]


def test_who_takes_no_gzip_gets_none(client, style):
    with client.get(style, headers={"Accept-Encoding": "gzip;q=0"}) as answer:
        assert "Content-Encoding" not in answer.headers


def test_the_size_of_a_page_tells_nothing(admin):
    sizes = {len(admin.get("/api/v1/openapi.json", headers=GZIP).data) for _ in range(12)}

    assert len(sizes) > 1


def test_a_stream_is_not_held_back_for_compression(admin):
    draft = admin.post("/api/v1/drafts?wait=20", json={"kind": "summary", "deal_id": "D-1"}).json

    stream = admin.get(f"/api/v1/drafts/{draft['id']}/stream", headers=GZIP)

    assert "Content-Encoding" not in stream.headers
    assert "event: done" in stream.text
