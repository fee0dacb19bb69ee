"""What most services do alike: hand out tokens that end, refuse what comes without one, say "later", fail at times."""

import base64
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

Answer = Callable[[Request], Awaitable[Response]]


@dataclass(slots=True)
class Manners:
    """tokens_last: questions that one token answers; trouble: answers to give instead, each once, in order;
    refuse_after: so many good answers, then a refusal; refused: parts of questions that are not allowed;
    asked: every question's path with its query, in order."""

    scheme: str = "Bearer"
    fixed: str = ""
    tokens_last: int = 10_000
    trouble: list[Response] = field(default_factory=list)
    refuse_after: int | None = None
    refused: set[str] = field(default_factory=set)
    asked: list[str] = field(default_factory=list)
    signed: int = 0
    _left: int = 0

    def token(self) -> JSONResponse:
        """A new token; the one before ends with it."""
        self.signed, self._left = self.signed + 1, self.tokens_last
        return JSONResponse(
            {"token_type": "Bearer", "expires_in": 3599, "access_token": f"token-{self.signed}"}
        )

    def guarded(self, answer: Answer) -> Answer:
        """A route that asks for the token and may be in trouble."""

        async def route(request: Request) -> Response:
            self.asked.append(f"{request.method} {request.url.path}?{request.url.query}")
            right = self.fixed or f"token-{self.signed}"
            given = request.headers.get("authorization")
            if given != f"{self.scheme} {right}" or (not self.fixed and self._left <= 0):
                return JSONResponse({"error": "invalid_token"}, status_code=401)
            self._left -= 1
            if any(part in self.asked[-1] for part in self.refused):
                return JSONResponse({"error": {"code": "Forbidden"}}, status_code=403)
            if self.refuse_after is not None:
                self.refuse_after -= 1
                if self.refuse_after < 0:
                    return JSONResponse({"error": "no"}, status_code=400)
            return self.trouble.pop(0) if self.trouble else await answer(request)

        return route


def later(status: int = 429, **headers: str) -> Response:
    """An answer that says: not now."""
    return JSONResponse({"error": {"code": "busy"}}, status_code=status, headers=dict(headers))


def page_of(records: list[Any], start: int, size: int) -> tuple[list[Any], int | None]:
    """A page and where the next begins, None after the last."""
    after = start + size
    return records[start:after], after if after < len(records) else None


def service_account() -> tuple[str, rsa.RSAPublicKey]:
    """A key file as Google makes them, and the public half."""
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    key = rsa.generate_private_key(65537, 2048)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    known = {
        "type": "service_account",
        "private_key_id": "k1",
        "private_key": pem,
        "client_email": "hinomi@city.iam.gserviceaccount.com",
    }
    return json.dumps(known), key.public_key()


def claims(assertion: str, key: rsa.RSAPublicKey) -> Mapping[str, Any]:
    """What an assertion says; raises InvalidSignature where the key did not sign it."""
    signed, _, signature = assertion.rpartition(".")
    key.verify(_plain(signature), signed.encode(), padding.PKCS1v15(), hashes.SHA256())
    found: Mapping[str, Any] = json.loads(_plain(signed.split(".")[1]))
    return found


def _plain(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
