"""Smaller answers: texts go out gzipped to whoever takes them. Streams do not, for each piece must leave at once.

Static files are compressed once a process; their address holds their content's hash, so a browser keeps them for ever.
A page mixes what a stranger may choose with secrets; its gzip header carries a name of random length, so that its
size tells nothing of its content (BREACH; the way Django took, https://arxiv.org/abs/2204.09955, read 2026-11).
"""

from __future__ import annotations

import gzip
import hashlib
import io
import secrets
from functools import lru_cache
from pathlib import Path

from flask import Response, request

SMALLEST = 600
"""Bytes below which an answer is sent as it is."""
TYPES = frozenset(
    {"text/html", "text/css", "text/javascript", "text/plain", "image/svg+xml", "application/json",
     "application/problem+json"}
)  # fmt: skip
LEVEL = 6
PADDING = 100
FOR_EVER = "public, max-age=31536000, immutable"


def static_path(folder: Path) -> str:
    """The address of the static files: another one whenever one of them changes."""
    digest = hashlib.sha256()
    for file in sorted(folder.iterdir()):
        digest.update(file.name.encode() + b"\0" + file.read_bytes())
    return f"/static/{digest.hexdigest()[:12]}"


def compress(response: Response) -> Response:
    """The answer, gzipped where that helps and is understood."""
    if request.endpoint == "static":
        response.headers["Cache-Control"] = FOR_EVER
    if response.mimetype not in TYPES or response.status_code in (204, 304) or "Content-Encoding" in response.headers:
        return response
    response.vary.add("Accept-Encoding")
    if request.method == "HEAD" or request.accept_encodings["gzip"] <= 0 or response.status_code == 206:
        return response
    response.direct_passthrough = False
    body = response.get_data()
    if len(body) < SMALLEST:
        return response
    small = _kept(body) if request.endpoint == "static" else _gzip(body, secrets.token_hex(secrets.randbelow(PADDING)))
    response.set_data(small)
    response.headers["Content-Encoding"] = "gzip"
    etag, _ = response.get_etag()
    if etag:
        response.set_etag(etag, weak=True)
    return response


@lru_cache(maxsize=64)
def _kept(body: bytes) -> bytes:
    return _gzip(body, "")


def _gzip(body: bytes, name: str) -> bytes:
    packed = io.BytesIO()
    with gzip.GzipFile(filename=name, mode="wb", compresslevel=LEVEL, fileobj=packed, mtime=0) as file:
        file.write(body)
    return packed.getvalue()
