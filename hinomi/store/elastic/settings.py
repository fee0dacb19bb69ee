"""How a cluster is reached: apart from the client, which takes a second to import."""

from pathlib import Path
from urllib.parse import urlsplit

from pydantic import Field, field_validator

from hinomi.config import Section
from hinomi.secret import Secret


class KeeperSettings(Section):
    """Who deletes: the user of the role `keep`, apart from all that respond to attacks."""

    user: str
    password: Secret


class ElasticSettings(Section):
    """`store.elasticsearch:` hosts: addresses of any of its nodes; ca: PEM file of the authority that signed their
    certificates (none: the system's); user and password, or api_key (`id:key`, or the one word `encoded`): who Hinomi
    is there; namespace: the part of index names that keeps two towers on one cluster apart; replicas: copies of each
    index; timeout: seconds that one request may take; keeper: who drops old indices and makes snapshots (none: the same
    user)."""

    hosts: list[str] = Field(min_length=1)
    ca: Path | None = None
    user: str = ""
    password: Secret | None = None
    api_key: Secret | None = None
    keeper: KeeperSettings | None = None
    namespace: str = Field(default="default", pattern=r"^[a-z0-9_]{1,40}$")
    replicas: int = Field(default=1, ge=0, le=5)
    timeout: float = Field(default=60.0, gt=0)

    @field_validator("hosts")
    @classmethod
    def _with_all_their_parts(cls, hosts: list[str]) -> list[str]:
        """Scheme, host and port of each, as the client asks for."""
        for host in hosts:
            parts = urlsplit(host)
            if parts.scheme not in {"http", "https"} or not parts.hostname or not parts.port:
                raise ValueError(
                    f"「{host}」は「https://ホスト名:9200」の形ではありません(番号も要ります)。"
                    f'|"{host}" is not of the form https://host:9200 (the port is needed, too)'
                )
        return hosts
