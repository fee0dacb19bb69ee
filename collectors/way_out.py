"""The way out: through which proxy, and whose certificates are trusted."""

from pathlib import Path
from urllib.parse import quote

from pydantic import field_validator

from hinomi.config import Section
from hinomi.errors import InputError
from hinomi.secret import Secret


def plain_address(value: str | None) -> str | None:
    """A URL without a password in it. Raises ValueError, in both languages."""
    if value is None:
        return None
    if not value.startswith(("https://", "http://")) or "@" in value:
        raise ValueError(
            "https:// か http:// で始まり、利用者名やパスワードを含まない URL を書いてください。"
            "|write a URL that begins with https:// or http:// and holds no user name or password"
        )
    return value.rstrip("/")


class WayOut(Section):
    """proxy: URL of a forward proxy, proxy_auth: its `user:password`; ca: PEM file of the only authority trusted."""

    proxy: str | None = None
    proxy_auth: Secret | None = None
    ca: Path | None = None

    @field_validator("proxy")
    @classmethod
    def _plain_proxy(cls, value: str | None) -> str | None:
        return plain_address(value)

    def proxy_user(self) -> tuple[str, str] | None:
        """Name and password for the proxy. Raises InputError."""
        if self.proxy_auth is None:
            return None
        name, mark, password = self.proxy_auth.reveal().partition(":")
        if not mark:
            raise InputError(
                "proxy_auth の中身は「利用者名:パスワード」の形にしてください。",
                "the secret of proxy_auth is to be user:password",
            )
        return name, password

    def proxy_with_user(self) -> str | None:
        """The proxy's URL for a client that takes the password in it; never to be shown."""
        user = self.proxy_user()
        if self.proxy is None or user is None:
            return self.proxy
        scheme, _, rest = self.proxy.partition("://")
        return f"{scheme}://{quote(user[0], safe='')}:{quote(user[1], safe='')}@{rest}"
