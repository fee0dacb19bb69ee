"""Amazon S3: a bucket that was opened to everybody is closed by the lock against public access, and given back as it was.

Facts: Amazon S3 API Reference, GetPublicAccessBlock, PutPublicAccessBlock, DeletePublicAccessBlock (of a bucket): four switches of
which IgnorePublicAcls and RestrictPublicBuckets take what is open already away from strangers, BlockPublicAcls and
BlockPublicPolicy refuse to open it anew; a bucket without a lock answers NoSuchPublicAccessBlockConfiguration; `x-amz-expected-
bucket-owner`: a bucket of another account is refused. Policies and ACLs stay as they are, so taking the lock off opens it again.
Questions are signed (Signature Version 4) by botocore. Rights: s3:GetBucketPublicAccessBlock and s3:PutBucketPublicAccessBlock (the
latter also takes the lock off) on arn:aws:s3:::<the buckets>.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from collectors.aws.account import Account, signed
from collectors.aws.refusal import NotSignedIn, said
from collectors.way_out import WayOut
from hinomi.config import Section
from hinomi.errors import HinomiError, Refused
from hinomi.text import inert
from responders.connectors.held import value_of, words_of
from responders.connectors.protocol import Done, Kind

_TRIES, _READ = 2, 15
_BUCKET = re.compile(r"(?:arn:aws[a-z-]*:s3:::)?([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])")
_SWITCHES = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")
_SHUT = dict.fromkeys(_SWITCHES, True)
_NONE = "NoSuchPublicAccessBlockConfiguration"


class S3(Section):
    """owner: number of the AWS account whose buckets these are, no other's is touched; region: of the buckets; account: keys
    or role, else the machine's own role; check: a bucket whose lock `hinomi doctor` reads to see that all works."""

    kind: Literal["s3"]
    owner: str = Field(pattern=r"^\d{12}$")
    region: str = "ap-northeast-1"
    account: Account = Field(default_factory=Account)
    check: str = Field(default="", pattern=r"^[a-z0-9.-]{0,63}$")
    proxy: str | None = None
    ca: Path | None = None


@dataclass(frozen=True, slots=True)
class Buckets:
    """`storage.block_public` with {bucket}: its name or its ARN."""

    settings: S3

    def knows(self, action: str, values: Mapping[str, str]) -> bool:
        """Whether it is a bucket of the account, which this one may read: AWS refuses another's. Raises DependencyDown, and Refused
        where AWS refuses the sign-in."""
        try:
            self._lock(_name(action, values))
        except NotSignedIn:
            raise
        except Refused:
            return False
        return True

    def plan(self, action: str, values: Mapping[str, str]) -> Done:
        """Reads the lock and says whether it would change."""
        if self._lock(_name(action, values)) == _SHUT:
            return self._already(action, values)
        return Done(*words_of(action, value_of(action, values)))

    def look(self, action: str, values: Mapping[str, str]) -> dict[str, Any]:
        """The lock as it is: its four switches, or none at all."""
        return {"lock": self._lock(_name(action, values))}

    def act(self, action: str, values: Mapping[str, str]) -> Done:
        """Turn all four on, unless they are."""
        bucket = _name(action, values)
        if self._lock(bucket) == _SHUT:
            return self._already(action, values)
        self._put(bucket, _SHUT)
        ja, en = words_of(action, bucket)
        return Done(f"行いました: {ja}", f"done: {en}")

    def verify(self, action: str, values: Mapping[str, str]) -> bool:
        """Whether all four are on."""
        return self._lock(_name(action, values)) == _SHUT

    def undo(self, action: str, values: Mapping[str, str], before: Mapping[str, Any]) -> Done:
        """The switches as they were; no lock where there was none."""
        bucket, was = _name(action, values), before["lock"]
        if self._lock(bucket) == was:
            return Done(f"{bucket} はそのままにしました。", f"{bucket} is left as it was", changed=False)
        if was is None:
            with said(f"s3 {bucket}"):
                self._client().delete_public_access_block(
                    Bucket=bucket, ExpectedBucketOwner=self.settings.owner
                )
        else:
            self._put(bucket, {name: bool(was[name]) for name in _SWITCHES})
        return Done(f"{bucket} を元に戻しました。", f"{bucket} is as it was")

    def health(self) -> str:
        """Reads the lock of the bucket `check`; without one, only that there are credentials."""
        try:
            if self.settings.check:
                self._lock(self.settings.check)
            else:
                with said("s3"):
                    self._client()
        except HinomiError as error:
            return error.ja
        return ""

    def _already(self, action: str, values: Mapping[str, str]) -> Done:
        bucket = _name(action, values)
        return Done(f"{bucket} は既にそうなっています。", f"{bucket} is so already", changed=False)

    def _lock(self, bucket: str) -> dict[str, bool] | None:
        from botocore.exceptions import ClientError

        with said(f"s3 {bucket}"):
            try:
                found = self._client().get_public_access_block(
                    Bucket=bucket, ExpectedBucketOwner=self.settings.owner
                )
            except ClientError as error:
                if error.response.get("Error", {}).get("Code") == _NONE:
                    return None
                raise
        held = found["PublicAccessBlockConfiguration"]
        return {name: bool(held.get(name)) for name in _SWITCHES}

    def _put(self, bucket: str, lock: Mapping[str, bool]) -> None:
        with said(f"s3 {bucket}"):
            self._client().put_public_access_block(
                Bucket=bucket,
                PublicAccessBlockConfiguration=dict(lock),
                ExpectedBucketOwner=self.settings.owner,
            )

    def _client(self) -> Any:
        own = self.settings
        way = WayOut(proxy=own.proxy, ca=own.ca)
        return signed(own.account, own.region, way, tries=_TRIES, read=_READ)("s3")


def _name(action: str, values: Mapping[str, str]) -> str:
    """The bucket's name. Raises Refused for what is none, such as a resource of another cloud."""
    value = value_of(action, values)
    found = _BUCKET.fullmatch(value)
    if found is None:
        raise Refused(
            f"「{inert(value, 80)}」は S3 のバケットの名前ではありません。",
            f'"{inert(value, 80)}" is not the name of an S3 bucket',
        )
    return found[1]


KIND = Kind("s3", S3, Buckets, frozenset({"storage.block_public"}))
