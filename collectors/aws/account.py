"""Who we are to AWS: access keys, or the machine's own role, and from there the role that may read.

Facts: AWS SDKs and Tools Reference Guide, "Standardized credential providers" (environment, container, instance
metadata: botocore's own chain), "AWS STS: AssumeRole". botocore is imported where it is used: every command reads the
configuration, few ask AWS.
"""

from collections.abc import Callable
from functools import cache, partial
from typing import Any, Literal, Self

from pydantic import Field, model_validator

from collectors.way_out import WayOut
from hinomi.config import Section
from hinomi.secret import Secret

Service = Literal["s3", "sqs", "sts"]
_CONNECT = 10
_TRIES, _READ = 5, 60


class Account(Section):
    """`account:` access_key_id and secret_access_key of a user; without them the machine's own role is taken. role: the
    ARN of a role to take on, external_id: what its trust policy asks for. endpoints: URLs of VPC endpoints by service
    (`s3`, `sqs`, `sts`)."""

    access_key_id: str | None = None
    secret_access_key: Secret | None = None
    role: str | None = Field(default=None, pattern=r"^arn:aws[a-z-]*:iam::\d{12}:role/.+$")
    external_id: str | None = None
    endpoints: dict[Service, str] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _both_or_none(self) -> Self:
        if (self.access_key_id is None) != (self.secret_access_key is None):
            raise ValueError(
                "access_key_id と secret_access_key は両方書いてください。"
                "|access_key_id and secret_access_key belong together"
            )
        return self


def clients(account: Account, region: str, way: WayOut) -> tuple[Any, Any]:
    """Clients of SQS and S3; secrets are read now, and again with the next round. Blocks: run it in a thread."""
    made = signed(account, region, way)
    return made("sqs"), made("s3")


def signed(
    account: Account, region: str, way: WayOut, *, tries: int = _TRIES, read: int = _READ
) -> Callable[..., Any]:
    """What makes a client of a service. tries: of each question; read: seconds to wait for an answer."""
    import botocore.session

    session = botocore.session.Session()
    session.register_component("data_loader", _descriptions())
    made = partial(_client, session, account, region, way, tries, read)
    if account.access_key_id is not None and account.secret_access_key is not None:
        session.set_credentials(account.access_key_id, account.secret_access_key.reveal())
    if account.role is not None:
        _take_on(session, account, made)
    return made


@cache
def _descriptions() -> Any:
    """What botocore knows of the services, read once a process: it is most of the time that a client takes to make."""
    import botocore.session

    return botocore.session.Session().get_component("data_loader")


def _client(
    session: Any, account: Account, region: str, way: WayOut, tries: int, read: int, service: str, **more: Any
) -> Any:
    from botocore.config import Config

    proxy = way.proxy_with_user()
    config = Config(
        region_name=region,
        connect_timeout=_CONNECT,
        read_timeout=read,
        retries={"mode": "standard", "total_max_attempts": tries},
        proxies={"https": proxy, "http": proxy} if proxy else {},  # none: not those of the environment either
        user_agent_extra="Hinomi",
    )
    endpoints: dict[Any, str] = account.endpoints
    return session.create_client(
        service,
        config=config,
        verify=str(way.ca) if way.ca else None,
        endpoint_url=endpoints.get(service),
        **more,
    )


def _take_on(session: Any, account: Account, made: Callable[..., Any]) -> None:
    """The role's credentials instead of the caller's, renewed before they end."""
    from botocore.credentials import AssumeRoleCredentialFetcher, DeferredRefreshableCredentials
    from botocore.exceptions import NoCredentialsError

    own = session.get_credentials()
    if own is None:
        raise NoCredentialsError
    asked = {"ExternalId": account.external_id} if account.external_id else {}
    fetcher = AssumeRoleCredentialFetcher(
        client_creator=made,
        source_credentials=own,
        role_arn=account.role,
        extra_args={"RoleSessionName": "hinomi", **asked},
    )
    session._credentials = DeferredRefreshableCredentials(
        method="assume-role", refresh_using=fetcher.fetch_credentials
    )
