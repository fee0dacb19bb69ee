"""Signing in through an OpenID provider: authorization code with PKCE, state and nonce; the ID token is checked.

Facts: OpenID Connect Core 1.0 (3.1.3.7 ID token validation), RFC 7636 (PKCE S256), RFC 9700 (best practice),
OpenID Connect Discovery 1.0.
"""

import base64
import hashlib
import secrets
import threading
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import httpx
import jwt

from dashboards.settings import OidcSignIn, seen_by_groups
from hinomi.errors import DependencyDown, Refused
from hinomi.trust import context

_ALGORITHMS = ["RS256", "PS256", "ES256"]
_TIMEOUT = 10.0
_LEEWAY = 60


@dataclass(frozen=True, slots=True)
class Going:
    """What the browser keeps (sealed) while it is at the provider."""

    state: str
    nonce: str
    verifier: str
    onward: str


@dataclass(frozen=True, slots=True)
class Person:
    """Who signed in, with the roles of their groups. strong: the provider says that two factors were used; organizations:
    whose things they see (empty: everybody's), None where the provider does not say; subject: issuer and `sub`, the only two
    claims that name a person for good (OpenID Connect Core 1.0, 5.7); formerly: another name of the same, a provider has none."""

    name: str
    full_name: str
    roles: list[str]
    strong: bool
    organizations: list[str] | None = None
    subject: str = ""
    formerly: str = ""


@dataclass(slots=True)
class Provider:
    """An OpenID provider; its addresses are read once."""

    settings: OidcSignIn
    _known: dict[str, Any] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def begin(self, onward: str, back: str) -> tuple[str, Going]:
        """(address of the provider, what to keep until the browser is back)."""
        going = Going(secrets.token_urlsafe(24), secrets.token_urlsafe(24), secrets.token_urlsafe(48), onward)
        challenge = (
            base64.urlsafe_b64encode(hashlib.sha256(going.verifier.encode()).digest()).rstrip(b"=").decode()
        )
        asked = {
            "response_type": "code",
            "client_id": self.settings.client_id,
            "redirect_uri": back,
            "scope": self.settings.scope,
            "state": going.state,
            "nonce": going.nonce,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
        }
        return f"{self._about('authorization_endpoint')}?{urlencode(asked)}", going

    def finish(self, code: str, going: Going, back: str) -> Person:
        """The person of the code. Raises Refused for a token that does not hold, DependencyDown for silence."""
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": back,
            "client_id": self.settings.client_id,
            "code_verifier": going.verifier,
        }
        secret = self.settings.client_secret.reveal()
        answer = self._ask(
            "POST", self._about("token_endpoint"), data=form, auth=(self.settings.client_id, secret)
        )
        token = answer.get("id_token")
        if not isinstance(token, str):
            raise _refused("no id_token")
        return self._person(self._claims(token, going.nonce))

    def _claims(self, token: str, nonce: str) -> dict[str, Any]:
        try:
            header = jwt.get_unverified_header(token)
            key = self._key(str(header.get("kid", "")))
            claims: dict[str, Any] = jwt.decode(
                token,
                key,
                algorithms=_ALGORITHMS,
                audience=self.settings.client_id,
                issuer=self.settings.issuer,
                leeway=_LEEWAY,
                options={"require": ["exp", "iat", "sub", "aud", "iss"]},
            )
        except jwt.PyJWTError as error:
            raise _refused(str(error)) from error
        if not secrets.compare_digest(str(claims.get("nonce", "")), nonce):
            raise _refused("nonce")
        return claims

    def _person(self, claims: dict[str, Any]) -> Person:
        groups = claims.get(self.settings.groups_claim) or []
        held = {str(group) for group in (groups if isinstance(groups, list) else [groups])}
        roles = [role for group, given in self.settings.roles.items() if group in held for role in given]
        name = str(claims.get(self.settings.account_claim) or "").partition("@")[0].strip().lower()
        seen = seen_by_groups(self.settings.organizations, held)
        if self.settings.organizations and seen is None:
            raise Refused(
                "このアカウントは、どの組織にも割り当てられていません。管理者に確かめてください。",
                "this account belongs to no organisation here",
            )
        if not roles or not name:
            raise Refused(
                "このアカウントには、コンソールの役割がありません。管理者に確かめてください。",
                "this account has no role here",
            )
        strong = bool(
            {"mfa", "otp", "hwk", "swk", "fpt", "sc"} & {str(one) for one in claims.get("amr") or []}
        )
        subject = f"{claims['iss']}|{claims['sub']}"
        return Person(name, str(claims.get("name") or ""), list(dict.fromkeys(roles)), strong, seen, subject)

    def _key(self, kid: str) -> Any:
        """The provider's key of this id; asked for again once where it is new."""
        for fresh in (False, True):
            with self._lock:
                if fresh or "keys" not in self._known:
                    self._known["keys"] = self._ask("GET", self._about_locked("jwks_uri")).get("keys", [])
                for one in jwt.PyJWKSet(self._known["keys"]).keys:
                    if one.key_id == kid or not kid:
                        return one.key
        raise _refused("unknown key")

    def _about(self, name: str) -> str:
        with self._lock:
            return self._about_locked(name)

    def _about_locked(self, name: str) -> str:
        if "about" not in self._known:
            found = self._ask("GET", self.settings.issuer.rstrip("/") + "/.well-known/openid-configuration")
            if found.get("issuer") != self.settings.issuer:
                raise _refused("the provider names another issuer")
            self._known["about"] = found
        return str(self._known["about"][name])

    def _ask(self, method: str, address: str, **how: Any) -> dict[str, Any]:
        try:
            with httpx.Client(
                verify=context(self.settings.ca), timeout=_TIMEOUT, follow_redirects=False
            ) as client:
                answer = client.request(method, address, **how)
                answer.raise_for_status()
                found = answer.json()
        except (httpx.HTTPError, ValueError) as error:
            raise DependencyDown("認証の提供元が応答しません。", f"the identity provider: {error}") from error
        return found if isinstance(found, dict) else {}


def _refused(why: str) -> Refused:
    return Refused("サインインを確かめられませんでした。", f"the sign-in could not be verified: {why}")
