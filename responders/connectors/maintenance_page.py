"""A web site's notice page: a flag on the web server, which serves a static page in the site's place as long as it is there.

Facts: sftp(1): `-b -` reads commands from standard input and ends with the first that fails; `mkdir`, `rmdir`, `ls -1`. sshd_config(5):
`ForceCommand internal-sftp`, `ChrootDirectory`. nginx, ngx_http_rewrite_module: `if (-d …)`, `return 503`; Apache httpd, mod_rewrite:
`RewriteCond … -d`, `[R=503]`; both serve `error_page` / `ErrorDocument 503`, and read the flag with each request, so nothing is loaded
anew. 503 is what a site answers that is away for a while (RFC 9110, 15.6.4). A flag is an empty folder with the site's name: made and
taken away in one step each. Rights: an account that gets nothing but SFTP in that one folder (docs/response.md).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

import httpx
from pydantic import Field, field_validator

from hinomi import trust
from hinomi.config import Section
from hinomi.errors import HinomiError, Refused
from responders.connectors.commands import keys_only, run
from responders.connectors.held import value_of, words_of
from responders.connectors.listed import settles
from responders.connectors.protocol import Done, Kind

_AWAY, _TIMEOUT = 503, 3.0


class MaintenancePage(Section):
    """sites: each site's name as logs and people write it, and the URL at which this web server itself answers for it (its own
    address: the name may lead to a cache); folder: of the flags, as the account sees it; ca: of the server's certificate."""

    kind: Literal["maintenance_page"]
    host: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9.:-]*$")
    port: int = Field(default=22, ge=1, le=65535)
    user: str = Field(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.-]*$")
    key: Path
    known_hosts: Path
    folder: str = Field(default="/flags", pattern=r"^/[A-Za-z0-9_./-]*$")
    sites: dict[str, str] = Field(min_length=1)
    ca: Path | None = None

    @field_validator("sites")
    @classmethod
    def _names_and_addresses(cls, sites: dict[str, str]) -> dict[str, str]:
        """A name is a flag's name, too; an address is one that can be asked."""
        for name, url in sites.items():
            if not _is_name(name):
                raise ValueError(
                    f"「{name}」はサイトの名前(www.city.example.jp など)ではありません。"
                    f"|{name} is no site's name, such as www.city.example.jp"
                )
            if not _can_be_asked(url):
                raise ValueError(
                    f"「{name}」の値は http:// か https:// で始まる URL です。|{name} needs a URL that begins with http:// or https://"
                )
        lowered = {name.lower(): url for name, url in sites.items()}
        if len(lowered) < len(sites):
            raise ValueError(
                "大文字と小文字だけが違う同じ名前が sites にあります。|sites holds a name twice, in capitals and not"
            )
        return lowered


@dataclass(frozen=True, slots=True)
class Pages:
    """`web.maintenance_page` with {service}: one of the sites."""

    settings: MaintenancePage

    def knows(self, action: str, values: Mapping[str, str]) -> bool:
        """Whether this web server has the site."""
        return value_of(action, values).strip().lower().rstrip(".") in self.settings.sites

    def plan(self, action: str, values: Mapping[str, str]) -> Done:
        """Says whether the notice stands already."""
        site = self._site(action, values)
        return self._already(site) if self._flagged(site) else Done(*words_of(action, site))

    def look(self, action: str, values: Mapping[str, str]) -> dict[str, Any]:
        """Whether the flag is there."""
        return {"flagged": self._flagged(self._site(action, values))}

    def act(self, action: str, values: Mapping[str, str]) -> Done:
        """Set the flag, unless it is there."""
        site = self._site(action, values)
        if self._flagged(site):
            return self._already(site)
        self._sftp(f"mkdir {self._flag(site)}")
        ja, en = words_of(action, site)
        return Done(f"行いました: {ja}", f"done: {en}")

    def verify(self, action: str, values: Mapping[str, str]) -> bool:
        """Whether the flag is there and the web server answers for the site with 503."""
        site = self._site(action, values)
        return self._flagged(site) and settles(lambda: self._status(site) == _AWAY)

    def undo(self, action: str, values: Mapping[str, str], before: Mapping[str, Any]) -> Done:
        """Take the flag away, unless it was there before."""
        site = self._site(action, values)
        if before.get("flagged"):
            return Done(f"{site} はそのままにしました。", f"{site} is left as it was", changed=False)
        if self._flagged(site):
            self._sftp(f"rmdir {self._flag(site)}")
        return Done(f"{site} を元に戻しました。", f"{site} is as it was")

    def health(self) -> str:
        """Signs in, reads the folder, and sees that the web server answers for each site."""
        try:
            self._flags()
        except HinomiError as error:
            return error.ja
        return "".join(
            f"ウェブサーバーが {site} について応答しません / does not answer for it"
            for site in self.settings.sites
            if self._status(site) is None
        )

    def _already(self, site: str) -> Done:
        return Done(f"{site} は既にお知らせ頁です。", f"{site} shows the notice already", changed=False)

    def _site(self, action: str, values: Mapping[str, str]) -> str:
        value = value_of(action, values)
        if not self.knows(action, values):
            raise Refused(f"「{value}」は sites にありません。", f'"{value}" is not among sites')
        return value.strip().lower().rstrip(".")

    def _flag(self, site: str) -> str:
        return f"{self.settings.folder.rstrip('/')}/{site}"

    def _flagged(self, site: str) -> bool:
        return site in self._flags()

    def _flags(self) -> set[str]:
        """Names in the folder; sftp repeats the command before its answer."""
        said = self._sftp(f"ls -1 {self.settings.folder}")
        return {line.strip().rpartition("/")[2] for line in said.splitlines() if line[:5] != "sftp>"}

    def _sftp(self, command: str) -> str:
        own = self.settings
        host = f"[{own.host}]" if ":" in own.host else own.host
        options = [*keys_only(own.key, own.known_hosts), "-P", str(own.port)]
        login = ["sftp", "-q", *options, "-b", "-", f"{own.user}@{host}"]
        return run(login, what=f"ウェブサーバー {own.host}", stdin=f"{command}\n")

    def _status(self, site: str) -> int | None:
        """What the web server answers for the site's first page; None without an answer."""
        own = self.settings
        try:
            with httpx.Client(verify=trust.context(own.ca), timeout=_TIMEOUT, trust_env=False) as client:
                headers, names = {"Host": site, "Cache-Control": "no-cache"}, {"sni_hostname": site}
                return client.get(own.sites[site], headers=headers, extensions=names).status_code
        except (httpx.HTTPError, httpx.InvalidURL, UnicodeError):
            return None


def _can_be_asked(url: str) -> bool:
    try:
        parts, port = urlsplit(url), urlsplit(url).port
        asked = httpx.URL(url)
    except (ValueError, httpx.InvalidURL):  # of ports, brackets, names; UnicodeError is a ValueError
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname and asked.host) and port != 0


def _is_name(name: str) -> bool:
    parts = name.split(".")
    return (
        len(name) <= 253
        and name.isascii()
        and all(part.replace("-", "").isalnum() and not part.startswith("-") for part in parts)
    )


KIND = Kind("maintenance_page", MaintenancePage, Pages, frozenset({"web.maintenance_page"}))
