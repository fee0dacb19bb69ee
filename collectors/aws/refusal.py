"""What AWS, or the way there, says no with, in the user's words."""

import contextlib
from collections.abc import Iterator

from hinomi.errors import DependencyDown, HinomiError, Refused

_LATER = ("Throttl", "SlowDown", "TooManyRequests", "RequestLimit", "ServiceUnavailable", "InternalError")
_WHO = {
    "InvalidClientTokenId", "SignatureDoesNotMatch", "ExpiredToken", "InvalidAccessKeyId", "UnrecognizedClientException",
    "AuthFailure",
}  # fmt: skip


class NoSuchObject(Refused):
    """The object is not there (any more)."""


class NotSignedIn(Refused):
    """AWS does not take us for anybody: nothing is known of what was asked for."""


@contextlib.contextmanager
def said(what: str) -> Iterator[None]:
    """Turn botocore's errors into ours. what: queue or object, as a person knows it. Raises DependencyDown or Refused."""
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        yield
    except (BotoCoreError, ClientError) as error:
        raise told(error, what) from None


def told(error: Exception, what: str) -> HinomiError:
    """One of botocore's errors in our words; never its whole text, which can repeat what was sent."""
    from botocore.exceptions import ClientError, NoCredentialsError

    if isinstance(error, NoCredentialsError):
        return NotSignedIn(
            "AWS の資格情報がありません。account に access_key_id と secret_access_key を書くか、機械に役割を付けてください。",
            "there are no AWS credentials: write access_key_id and secret_access_key, or give the machine a role",
        )
    if not isinstance(error, ClientError):
        name = type(error).__name__
        return DependencyDown(f"{what} に届きません({name})。", f"{what} cannot be reached ({name})")
    code, status = _code(error)
    if status >= 500 or status == 429 or code.startswith(_LATER):
        return DependencyDown(f"{what} が応じません({code})。", f"{what} does not answer ({code})")
    if code in _WHO or getattr(error, "operation_name", "") == "AssumeRole":
        return NotSignedIn(
            f"AWS へのサインインが断られました({code})。鍵か役割を確かめてください。",
            f"AWS refused the sign-in ({code}); check the key or the role",
        )
    refused = NoSuchObject if code == "NoSuchKey" else Refused
    return refused(
        f"AWS が要求を断りました({code} {what})。付与した権限と設定を確かめてください。",
        f"AWS refused ({code} {what}); check what was granted and the settings",
    )


def _code(error: Exception) -> tuple[str, int]:
    answer = getattr(error, "response", {})
    code = str(answer.get("Error", {}).get("Code", ""))
    short = code.rpartition(".")[2][:60]
    return short if short.isalnum() else "", int(answer.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
