"""How a service learns who asks: fixed tokens and the OAuth 2.0 flows for programs.

Secrets are read when a token is asked for, so one that was replaced takes effect with the next sign-in.
Facts: RFC 6749 §4.4 (client credentials), RFC 7523 (JWT bearer), and the vendors' pages named beside each use.
httpx and cryptography are imported where they are used: every command reads the configuration, few ask a service.
"""

import base64
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from hinomi.errors import DependencyDown, Refused
from hinomi.secret import Secret

if TYPE_CHECKING:
    import httpx
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

_EARLY = 60.0  # seconds before its end at which a token is replaced


class SignInRefused(Refused):
    """Who asks is not known there, or may not ask at all."""


class SignIn(Protocol):
    """Headers that prove who asks."""

    async def headers(self, client: "httpx.AsyncClient", *, anew: bool = False) -> dict[str, str]:
        """Headers for the next question; anew: the last ones were refused. Raises DependencyDown or Refused."""
        ...


@dataclass(frozen=True, slots=True)
class FixedToken:
    """A token made by a person in the service's administration. scheme: `Bearer`, or what the vendor says."""

    token: Secret
    scheme: str = "Bearer"

    async def headers(self, client: "httpx.AsyncClient", *, anew: bool = False) -> dict[str, str]:
        """The token, read afresh each time."""
        return {"Authorization": f"{self.scheme} {self.token.reveal()}"}


@dataclass(slots=True)
class OAuth:
    """A token that a token endpoint gives for a form, kept until shortly before it ends."""

    url: str
    form: "Form"
    _token: str = field(default="", repr=False)
    _ends: float = 0.0

    async def headers(self, client: "httpx.AsyncClient", *, anew: bool = False) -> dict[str, str]:
        """See `SignIn.headers`."""
        if anew or time.monotonic() >= self._ends:
            await self._sign_in(client)
        return {"Authorization": f"Bearer {self._token}"}

    async def _sign_in(self, client: "httpx.AsyncClient") -> None:
        import httpx

        fields, basic = self.form.fields(self.url), self.form.basic()
        try:
            answer = await client.post(self.url, data=fields, auth=basic or httpx.USE_CLIENT_DEFAULT)
        except httpx.HTTPError as error:
            raise _down(type(error).__name__) from None
        if answer.status_code == 429 or answer.status_code >= 500:
            raise _down(str(answer.status_code))
        token = _json(answer).get("access_token")
        if answer.status_code != 200 or not isinstance(token, str):
            raise SignInRefused(
                f"サインインが断られました({_reason(answer)})。ID と秘密、付与した権限を確かめてください。",
                f"sign-in was refused ({_reason(answer)}); check the id, the secret and what was granted",
            )
        self._token = token
        lifetime = _json(answer).get("expires_in")
        seconds = float(lifetime) if isinstance(lifetime, (int, float)) else 3600.0
        self._ends = time.monotonic() + max(seconds - _EARLY, 0.0)


class Form(Protocol):
    """What is sent to a token endpoint."""

    def fields(self, url: str) -> dict[str, str]:
        """The form; url: of the token endpoint."""
        ...

    def basic(self) -> tuple[str, str] | None:
        """Name and password for HTTP basic authentication, where the vendor wants them there."""
        ...


@dataclass(frozen=True, slots=True)
class ClientCredentials:
    """RFC 6749 §4.4; more: what the vendor adds (scope, resource, subject). in_header: RFC 6749 §2.3.1."""

    client_id: str
    client_secret: Secret
    more: Mapping[str, str] = field(default_factory=dict)
    grant: str = "client_credentials"
    in_header: bool = False

    def fields(self, url: str) -> dict[str, str]:
        """See `Form.fields`."""
        own = {"client_id": self.client_id, "client_secret": self.client_secret.reveal()}
        return {"grant_type": self.grant, **self.more, **({} if self.in_header else own)}

    def basic(self) -> tuple[str, str] | None:
        """See `Form.basic`."""
        return (self.client_id, self.client_secret.reveal()) if self.in_header else None


@dataclass(frozen=True, slots=True)
class ServiceAccount:
    """Google's service accounts: a JWT signed with the key file's RSA key (RFC 7523).

    key: the JSON key file's content; subject: the administrator on whose behalf it asks (domain-wide delegation).
    Facts: Google Identity, "Using OAuth 2.0 for Server to Server Applications".
    """

    key: Secret
    scope: str
    subject: str = ""

    def fields(self, url: str) -> dict[str, str]:
        """See `Form.fields`."""
        return {
            "grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer",
            "assertion": self._assertion(url),
        }

    def basic(self) -> tuple[str, str] | None:
        """None: the assertion says it all."""
        return None

    def _assertion(self, url: str) -> str:
        from cryptography.hazmat.primitives import hashes
        from cryptography.hazmat.primitives.asymmetric import padding

        signer, known = self._read()
        now = int(time.time())
        claims = {
            "iss": known["client_email"],
            "scope": self.scope,
            "aud": url,
            "iat": now,
            "exp": now + 3600,
        }
        if self.subject:
            claims["sub"] = self.subject
        header = {"alg": "RS256", "typ": "JWT", "kid": known.get("private_key_id", "")}
        signed = f"{_part(header)}.{_part(claims)}"
        return f"{signed}.{_base64(signer.sign(signed.encode(), padding.PKCS1v15(), hashes.SHA256()))}"

    def _read(self) -> tuple["RSAPrivateKey", dict[str, Any]]:
        """The RSA key and what stands beside it in the key file."""
        from cryptography.exceptions import UnsupportedAlgorithm
        from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
        from cryptography.hazmat.primitives.serialization import load_pem_private_key

        try:
            known = json.loads(self.key.reveal())
            signer = load_pem_private_key(known["private_key"].encode(), password=None)
            if isinstance(signer, RSAPrivateKey) and isinstance(known["client_email"], str):
                return signer, known
        except (ValueError, KeyError, TypeError, AttributeError, UnsupportedAlgorithm):
            pass  # said below, without the content
        raise SignInRefused(
            f"「{self.key.reference}」はサービスアカウントの鍵ファイル(JSON)ではありません。",
            f"{self.key.reference} is not a service account's JSON key file",
        )


def _part(value: Mapping[str, Any]) -> str:
    return _base64(json.dumps(value, separators=(",", ":")).encode())


def _base64(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()


def _json(answer: "httpx.Response") -> dict[str, Any]:
    try:
        found = answer.json()
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _reason(answer: "httpx.Response") -> str:
    """The vendor's error code; never its whole text, which can repeat what was sent."""
    code = _json(answer).get("error")
    word = code if isinstance(code, str) and code.replace("_", "").isalnum() else ""
    return f"{answer.status_code} {word[:60]}".strip()


def _down(why: str) -> DependencyDown:
    return DependencyDown(
        f"サインインの窓口が応じません({why})。", f"the sign-in endpoint does not answer ({why})"
    )
