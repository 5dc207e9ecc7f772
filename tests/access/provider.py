"""An OpenID Connect provider on a loopback port: discovery, JWKS, PKCE, nonce, codes that work once. It misbehaves."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

CLIENT_ID, CLIENT_SECRET = "crmplugin-client", "secret-of-the-client"


class Provider:
    """`person`: the claims of whoever signs in. `spoil`: claims, header or key that are put in the token's place."""

    def __init__(self) -> None:
        self.issuer = ""
        self.person: dict[str, Any] = {
            "sub": "s-1",
            "email": "ann@halden.example",
            "email_verified": True,
            "roles": ["reps"],
        }
        self.spoil: dict[str, Any] = {}
        self.key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self.codes: dict[str, dict[str, str]] = {}

    @property
    def jwk(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(self.key.public_key()))
        return found | {"kid": "key-1", "use": "sig", "alg": "RS256"}

    def authorize(self, query: dict[str, str]) -> str:
        """The address that the browser is sent back to."""
        code = secrets.token_urlsafe(8)
        self.codes[code] = query
        return f"{query['redirect_uri']}?code={code}&state={query['state']}"

    def token(self, form: dict[str, str], secret: str | None) -> tuple[int, dict[str, Any]]:
        asked = self.codes.pop(form.get("code", ""), None)
        verifier = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(verifier).decode().rstrip("=")
        if asked is None or asked.get("code_challenge") != challenge or asked.get("code_challenge_method") != "S256":
            return 400, {"error": "invalid_grant"}
        if secret != CLIENT_SECRET or form.get("redirect_uri") != asked["redirect_uri"]:
            return 401, {"error": "invalid_client"}
        return 200, {"access_token": "at", "token_type": "Bearer", "id_token": self._id_token(asked)}

    def _id_token(self, asked: dict[str, str]) -> str:
        now = int(time.time())
        claims = {
            "iss": self.issuer,
            "aud": CLIENT_ID,
            "iat": now,
            "exp": now + 300,
            "nonce": asked.get("nonce"),
            **self.person,
        }
        claims = {k: v for k, v in (claims | self.spoil.get("claims", {})).items() if v is not None}
        algorithm, key = self.spoil.get("alg", "RS256"), self.spoil.get("key", self.key)
        if algorithm == "HS256":
            key = self.key.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.PKCS1)
        if algorithm == "none":
            key = None
        return jwt.encode(claims, key, algorithm=algorithm, headers={"kid": self.spoil.get("kid", "key-1")})


@contextmanager
def running_provider() -> Iterator[Provider]:
    """A provider that answers until the block ends."""
    provider = Provider()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            where = urlsplit(self.path)
            if where.path == "/.well-known/openid-configuration":
                ends = {"authorization_endpoint": "/authorize", "token_endpoint": "/token", "jwks_uri": "/jwks"}
                named = {"issuer": provider.spoil.get("issuer", provider.issuer)}
                self._answer(200, named | {name: provider.issuer + path for name, path in ends.items()})
            elif where.path == "/jwks":
                self._answer(200, {"keys": [provider.jwk]})
            else:
                self._answer(404, {})

        def do_POST(self) -> None:
            form = {k: v[0] for k, v in parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode()).items()}
            _, _, basic = self.headers.get("Authorization", "").partition(" ")
            secret = base64.b64decode(basic).decode().partition(":")[2] if basic else form.get("client_secret")
            self._answer(*provider.token(form, secret))

        def _answer(self, status: int, document: dict[str, Any]) -> None:
            body = json.dumps(document).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Says nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    provider.issuer = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield provider
    finally:
        server.shutdown()
        server.server_close()
