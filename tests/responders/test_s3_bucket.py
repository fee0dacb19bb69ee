"""A bucket that was opened to everybody is closed and given back, on a server that checks signatures and permissions (moto)."""

from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError, NoCredentialsError
from moto.s3.responses import ACTION_MAP
from pydantic import TypeAdapter

from collectors.aws.refusal import NotSignedIn, told
from hinomi.errors import DependencyDown, Refused
from responders.connectors.catalogue import Target as Section
from responders.connectors.catalogue import connector
from responders.connectors.protocol import Connector
from responders.connectors.s3_bucket import Buckets
from responders.connectors.several import Several
from tests.collectors.pulls.peers.aws import ACCOUNT, AWAY, REGION, Aws, aws

ACTION = "storage.block_public"
NEEDED = ("s3:GetBucketPublicAccessBlock", "s3:PutBucketPublicAccessBlock")
SWITCHES = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")
pytestmark = pytest.mark.xdist_group("moto")


@pytest.fixture(scope="module")
def cloud() -> Iterator[Aws]:
    """moto takes these questions for those of the whole bucket: here they need what the API reference says they do."""
    allowed = ACTION_MAP["BUCKET"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(allowed["GET"], "publicAccessBlock", "GetBucketPublicAccessBlock")
        patch.setitem(allowed["PUT"], "publicAccessBlock", "PutBucketPublicAccessBlock")
        patch.setitem(allowed["DELETE"], "publicAccessBlock", "PutBucketPublicAccessBlock")
        with aws() as there:
            yield there


def made(cloud: Aws, monkeypatch: pytest.MonkeyPatch, bucket: str, *rights: str) -> Connector:
    """The connector as a user who has these rights on this bucket and no others."""
    key, secret = cloud.user(f"robot-{bucket}-{len(rights)}", *rights, resource=f"arn:aws:s3:::{bucket}")
    name = f"HINOMI_S3_{bucket}"
    monkeypatch.setenv(name, secret)
    account = {
        "access_key_id": key,
        "secret_access_key": f"env:{name}",
        "endpoints": {"s3": cloud.url},
    }
    section = {"kind": "s3", "owner": ACCOUNT, "region": REGION, "account": account, "check": bucket}
    adapter: TypeAdapter[Any] = TypeAdapter(Section)
    return connector(adapter.validate_python(section))


def lock(cloud: Aws, bucket: str) -> dict[str, bool] | None:
    try:
        found = cloud.client("s3").get_public_access_block(Bucket=bucket)
    except ClientError:
        return None
    return dict(found["PublicAccessBlockConfiguration"])


def bucket(cloud: Aws, name: str, was: dict[str, bool] | None) -> str:
    client = cloud.client("s3")
    client.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": REGION})
    if was is not None:
        client.put_public_access_block(Bucket=name, PublicAccessBlockConfiguration=was)
    return name


@pytest.mark.parametrize(
    ("name", "was"),
    [("open-a", None), ("open-b", {**dict.fromkeys(SWITCHES, False), "BlockPublicAcls": True})],
)
def test_there_and_back(
    cloud: Aws, monkeypatch: pytest.MonkeyPatch, name: str, was: dict[str, bool] | None
) -> None:
    """With the rights of the guide alone: a plan changes nothing, twice is once, undo gives back what was, switch by switch."""
    own = made(cloud, monkeypatch, bucket(cloud, name, was), *NEEDED)
    values = {"bucket": f"arn:aws:s3:::{name}"}
    assert own.health() == "" and own.plan(ACTION, values).changed and lock(cloud, name) == was
    assert not own.verify(ACTION, values)
    before = own.look(ACTION, values)
    assert own.act(ACTION, values).changed and own.verify(ACTION, {"bucket": name})
    assert lock(cloud, name) == dict.fromkeys(SWITCHES, True)
    assert not own.act(ACTION, values).changed and not own.plan(ACTION, values).changed
    own.undo(ACTION, values, own.look(ACTION, values))
    assert own.verify(ACTION, values), "it was shut before, it stays so"
    assert own.undo(ACTION, values, before).changed and lock(cloud, name) == was
    assert not own.undo(ACTION, values, before).changed and lock(cloud, name) == was


def test_what_cannot_be_done(cloud: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the right it is for a person; busy is tried again; another cloud's thing is no bucket; no secret in any word."""
    reader = made(cloud, monkeypatch, bucket(cloud, "kept", None), NEEDED[0])
    with pytest.raises(Refused, match="AccessDenied"):
        reader.act(ACTION, {"bucket": "kept"})
    with pytest.raises(Refused):
        reader.act(ACTION, {"bucket": "nobodys-bucket"})
    for trick in ("/subscriptions/s/resourcegroups/x", "a", "x/../y", "a?b", "バケット", ""):
        with pytest.raises(Refused, match="bucket"):
            reader.act(ACTION, {"bucket": trick})
    monkeypatch.setattr(cloud, "trouble", lambda operation: AWAY)
    with pytest.raises(DependencyDown):
        reader.act(ACTION, {"bucket": "kept"})
    monkeypatch.setattr(cloud, "trouble", lambda operation: None)
    monkeypatch.setenv("HINOMI_S3_kept", "wr0ng-secret")
    with pytest.raises(Refused, match="SignatureDoesNotMatch") as refused:
        reader.act(ACTION, {"bucket": "kept"})
    assert "wr0ng" not in f"{refused.value}{reader.health()}" and reader.health()
    assert lock(cloud, "kept") is None


def test_of_two_accounts_the_owner_of_the_bucket_acts(cloud: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    """Side by side, each refused what is the other's: the one that has the bucket shuts it and gives it back; nobody's bucket is for
    neither, and what does not answer is tried again."""
    ours = made(cloud, monkeypatch, bucket(cloud, "shared", None), *NEEDED)
    theirs = made(cloud, monkeypatch, bucket(cloud, "elsewhere", None), *NEEDED)
    both, values = Several({"s3": theirs, "s3-2": ours}, "s3"), {"bucket": "shared"}
    assert both.names(ACTION, values) == ["s3-2"]
    before = both.look(ACTION, values)
    assert both.act(ACTION, values).changed and both.verify(ACTION, values)
    assert both.undo(ACTION, values, before).changed and lock(cloud, "shared") is None
    with pytest.raises(Refused, match="0 of the targets"):
        both.act(ACTION, {"bucket": "nobodys-bucket"})
    monkeypatch.setattr(cloud, "trouble", lambda operation: AWAY)
    with pytest.raises(DependencyDown):
        both.act(ACTION, values)
    monkeypatch.setattr(cloud, "trouble", lambda operation: None)
    monkeypatch.setenv("HINOMI_S3_elsewhere", "wr0ng-secret")
    assert both.names(ACTION, values) == ["s3-2"], "the key of the other account is no matter of this bucket"
    monkeypatch.setenv("HINOMI_S3_shared", "wr0ng-secret")
    with pytest.raises(Refused, match="サインインが断られました"):
        both.act(ACTION, values)


def test_whoever_is_not_signed_in_does_not_know_whose_it_is(
    cloud: Aws, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A role that may not be taken on says so, and does not take the bucket for another's; so do credentials that are not there."""
    own = made(cloud, monkeypatch, bucket(cloud, "by-role", None), *NEEDED)
    assert isinstance(own, Buckets) and own.knows(ACTION, {"bucket": "by-role"})
    account = own.settings.account
    role = {"role": f"arn:aws:iam::{ACCOUNT}:role/gone", "endpoints": {**account.endpoints, "sts": cloud.url}}
    by_role = Buckets(own.settings.model_copy(update={"account": account.model_copy(update=role)}))
    with pytest.raises(NotSignedIn, match="AccessDenied"):
        by_role.knows(ACTION, {"bucket": "by-role"})
    assert isinstance(told(NoCredentialsError(), "s3 by-role"), NotSignedIn)
