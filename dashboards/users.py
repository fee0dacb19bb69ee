"""Local users of the console: records of kind `user`, passwords as argon2id hashes.

`hinomi users` calls this module; the console reads it. Facts: OWASP Password Storage Cheat Sheet
(argon2id), NIST SP 800-63B 3.1.1.2 (length over composition rules, at least 15 or, with a second factor, 8;
we ask 12 and refuse the account's own name).
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from itertools import chain

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from pydantic import BaseModel, ConfigDict, Field

from dashboards.tokens import KIND as TOKEN
from hinomi.clock import Clock
from hinomi.errors import Conflict, InputError
from hinomi.organization import ID
from hinomi.store import Records
from hinomi.words import Words
from responders.delegation import KIND as DELEGATION
from responders.playbooks.permits import KIND as PERMIT
from responders.roles import OFFICES, kept_as

KIND = "user"
SHORTEST, LONGEST = 12, 1024
_JUDGED, _STRONG = 72, 2
"""Characters that are judged, and the least score of 0 to 4: over a million guesses."""
_NO_LETTER = re.compile(r"[\W\d_]+")
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")


class Role(StrEnum):
    """What a person may do. An analyst and a responder work on incidents alike, so that a city can appoint them apart. The last four
    are the offices of the MIC guideline (対策基準 1.(1)–(6))."""

    VIEWER = "viewer"
    ANALYST = "analyst"
    RESPONDER = "responder"
    ADMIN = "admin"
    AUDITOR = "auditor"
    INFORMATION_SYSTEM_MANAGER = "information_system_manager"
    INFORMATION_SECURITY_MANAGER = "information_security_manager"
    CHIEF_SECURITY_OFFICER = "chief_information_security_manager"
    CISO = "ciso"


ROLE_NAMES: dict[Role, Words] = {
    Role.VIEWER: Words("閲覧者", "Viewer"),
    Role.ANALYST: Words("監視担当", "Analyst"),
    Role.RESPONDER: Words("対応担当", "Responder"),
    Role.ADMIN: Words("システム管理", "Administrator"),
    Role.AUDITOR: Words("監査担当", "Auditor"),
    **{Role(name): Words(one.ja, one.en[:1].upper() + one.en[1:]) for name, one in OFFICES.items()},
    Role.CISO: Words("最高情報セキュリティ責任者(CISO)", "CISO"),
}

APPROVERS = frozenset(
    {
        Role.INFORMATION_SYSTEM_MANAGER,
        Role.INFORMATION_SECURITY_MANAGER,
        Role.CHIEF_SECURITY_OFFICER,
        Role.CISO,
    }
)
WORKERS = APPROVERS | {Role.ANALYST, Role.RESPONDER}
ADMINS = frozenset({Role.ADMIN})
AUDITORS = frozenset({Role.ADMIN, Role.AUDITOR, Role.CHIEF_SECURITY_OFFICER, Role.CISO})


class User(BaseModel):
    """One person. `name` is the account (lower case); the hash never leaves this module's callers.

    source: where the password is kept (local, ldap, oidc); totp: the sealed secret of the second factor, totp_new one
    that is not confirmed yet, totp_last the last step used; recovery: hashes of recovery codes; organizations: whose
    incidents and logs the person sees, none: everybody's; subject: who that is at the provider or in the directory;
    signed_in: when that place last said so; must_change: the password is one that somebody else chose; keys:
    whether single keys do something on the pages (WCAG 2.2, 2.1.4).
    """

    model_config = ConfigDict(frozen=True)

    name: str
    full_name: str = ""
    roles: list[str] = Field(default_factory=list)
    password_hash: str = Field(repr=False)
    disabled: bool = False
    source: str = "local"
    totp: str = Field(default="", repr=False)
    totp_new: str = Field(default="", repr=False)
    totp_last: int = 0
    recovery: list[str] = Field(default_factory=list, repr=False)
    organizations: list[str] = Field(default_factory=list)
    subject: str = Field(default="", repr=False)
    signed_in: datetime | None = None
    must_change: bool = False
    keys: bool = True

    @property
    def shown(self) -> str:
        """The name that colleagues see."""
        return self.full_name or self.name

    def sees(self, organization: str) -> bool:
        """Whether the person sees what is this organisation's (empty: nobody's)."""
        return not self.organizations or organization in self.organizations

    def has(self, roles: Iterable[str]) -> bool:
        """Whether the person holds any of the roles."""
        return not set(self.roles).isdisjoint(roles)


@dataclass(frozen=True, slots=True)
class Users:
    """The users in the records. `hasher` is a seam so that tests need not spend 64 MiB a password."""

    records: Records
    clock: Clock
    hasher: PasswordHasher = field(default_factory=PasswordHasher)

    def create(
        self,
        name: str,
        password: str,
        roles: Iterable[str],
        *,
        full_name: str = "",
        organizations: Iterable[str] = (),
        must_change: bool = False,
    ) -> User:
        """Add a user. Raises InputError for a bad name, role or password, Conflict when it exists.

        organizations: whose incidents and logs the person sees, none: everybody's; must_change: as `User` has it.
        """
        key = kept_as(name)
        if not _NAME.fullmatch(key):
            raise InputError(
                f"アカウント名「{name}」は使えません(英小文字・数字・._- で 64 字以内)。",
                f'"{name}" is no account name (a-z, 0-9, . _ -, at most 64)',
            )
        body = {
            "name": key,
            "full_name": full_name,
            "roles": _roles(roles),
            "organizations": _organizations(organizations),
            "password_hash": self._hash(key, password),
            "disabled": False,
            "must_change": must_change,
            "created": self.clock.now().isoformat(),
        }
        self.records.put(KIND, key, body, expect=0)
        return User.model_validate(body)

    def external(
        self,
        name: str,
        full_name: str,
        roles: Iterable[str],
        source: str,
        organizations: Iterable[str] | None = None,
        subject: str = "",
        formerly: str = "",
    ) -> User:
        """A person whose password is kept elsewhere, as they stand there now. organizations: None where the directory
        does not say, what is set here stands; subject: who that is there, kept at the first sign-in that says it; formerly:
        another name of the same one, which the subject takes the place of.

        Raises InputError where a local account or another subject has the name (nobody becomes somebody else by way of
        a directory, also not t.yamada of one town the t.yamada of another), and where the subject has another account: an
        entry may bear several names, and two people who must agree are not one under two of them."""
        key = kept_as(name)
        record = self.records.get(KIND, key)
        held = record.body if record else {}
        if not _NAME.fullmatch(key) or (record and held.get("source", "local") != source):
            raise InputError(
                f"アカウント「{key[:64]}」は、別の方法で登録されています。",
                f'the account "{key[:64]}" is kept elsewhere',
            )
        if held.get("subject") and held["subject"] not in {subject, formerly}:
            raise InputError(
                f"アカウント「{key}」は、別の人のものです。引き継ぐときは、管理者が hinomi users release {key} で控えを消します。",
                f'the account "{key}" is somebody else\'s; where it passes on, an administrator runs hinomi users release {key}',
            )
        self._one_account(key, source, {subject, formerly})
        standing = {"disabled": False, "password_hash": "", "created": self.clock.now().isoformat()}
        now: dict[str, object] = {
            "name": key,
            "full_name": full_name,
            "roles": _roles(roles),
            "source": source,
            "subject": subject,
            "signed_in": self.clock.now().isoformat(),
        }
        if organizations is not None:
            now["organizations"] = _organizations(organizations)
        body = {**standing, **held, **now}
        self.records.put(KIND, key, body, expect=record.version if record else 0)
        self._one_account(
            key, source, {subject, formerly}
        )  # two names in the same moment: none of them gets in
        return User.model_validate(body)

    def _one_account(self, key: str, source: str, subjects: set[str]) -> None:
        """Raises InputError where another account is this person's, under any of the subjects that name them."""
        named = [self.records.find(KIND, {"source": source, "subject": one}) for one in subjects if one]
        for other in chain.from_iterable(named):
            if other.id != key:
                remedy = f"hinomi users release {other.id}"
                raise InputError(
                    f"あなたのアカウントは「{other.id}」です。名前が変わったときは、管理者が {remedy} で控えを消します。",
                    f'your account is "{other.id}"; where your name has changed, an administrator runs {remedy}',
                )

    def set_password(self, name: str, password: str, *, must_change: bool = False) -> None:
        """Replace the password; every session of the person ends. must_change: somebody else chose it and knows it."""
        hashed = self._hash(kept_as(name), password)
        self.change(name, {"password_hash": hashed, "must_change": must_change})
        self.end_sessions(name)

    def set_roles(self, name: str, roles: Iterable[str], *, before: list[str] | None = None) -> None:
        """Replace the roles; they count from the next request on. before: see `change`."""
        self.change(name, {"roles": _roles(roles)}, before=before)

    def set_organizations(
        self, name: str, organizations: Iterable[str], *, before: list[str] | None = None
    ) -> None:
        """Whose incidents and logs the person sees (none: everybody's); it counts from the next request on. before: see `change`."""
        self.change(name, {"organizations": _organizations(organizations)}, before=before)

    def set_disabled(self, name: str, disabled: bool) -> None:
        """Lock or unlock the account; locking ends its sessions."""
        self.change(name, {"disabled": disabled})
        if disabled:
            self.end_sessions(name)

    def find(self, name: str) -> User | None:
        """The user, or None."""
        record = self.records.get(KIND, kept_as(name))
        return record.read_as(User) if record else None

    def all(self) -> list[User]:
        """Every user, by name."""
        return [record.read_as(User) for record in self.records.find(KIND)]

    def verify(self, name: str, password: str) -> User | None:
        """The user if the password is right. Takes the same time for names that do not exist."""
        user = self.find(name) if _NAME.fullmatch(kept_as(name)) else None
        if user is not None and user.source != "local":
            user = None
        right = self._matches(user.password_hash if user else self._decoy(), password)
        return user if user is not None and right and not user.disabled else None

    def _matches(self, known: str, password: str) -> bool:
        try:
            return bool(self.hasher.verify(known, password[:LONGEST]))
        except (VerificationError, InvalidHashError):
            return False

    def _decoy(self) -> str:
        """A hash with this hasher's cost, of a password that nobody has."""
        parameters = f"$argon2id$v=19$m={self.hasher.memory_cost},t={self.hasher.time_cost}"
        return f"{parameters},p={self.hasher.parallelism}$c2FsdHNhbHRzYWx0c2FsdA${'A' * 43}"

    def _hash(self, name: str, password: str) -> str:
        if not SHORTEST <= len(password) <= LONGEST or password.strip().lower() == name:
            raise InputError(
                f"パスワードは {SHORTEST} 文字以上で、アカウント名と違うものにしてください。",
                f"a password has at least {SHORTEST} characters and is not the account's name",
            )
        _refuse_common(name, password)
        return self.hasher.hash(password)

    def change(self, name: str, changes: dict[str, object], *, before: list[str] | None = None) -> None:
        """Replace parts of the record. before: what each of them was when somebody decided on it, where that is asked.

        Raises InputError where there is no such user, Conflict where another has changed one of them since.
        """
        while True:
            record = self.records.get(KIND, kept_as(name))
            if record is None:
                raise InputError(f"利用者「{name}」はいません。", f'there is no user "{name}"')
            if before is not None and any(record.body.get(part, []) != before for part in changes):
                raise Conflict(
                    "ほかの人が先に変更しました。見直してください。",
                    "somebody else has changed it since; look again",
                )
            try:
                self.records.put(KIND, record.id, {**record.body, **changes}, expect=record.version)
            except Conflict:
                if before is None:
                    raise
                continue  # a sign-in, a second factor: whether these parts still are as they were is looked at again
            return

    def release(self, name: str, organizations: Iterable[str] = ()) -> None:
        """Pass on the name and nothing else: the next to sign in under it gets the roles that the directory says, and sees these
        organisations (none: everybody's) where it says none. Sessions, tokens, the second factor, permits and stand-ins of who
        had it end. Raises InputError for a local account, which is nobody's elsewhere."""
        user = self.find(name)
        if user is not None and user.source == "local":
            raise InputError(
                f"アカウント「{user.name}」はこの画面のものなので、引き継げません。新しい人には hinomi users add で作ります。",
                f'"{user.name}" is an account of this console and passes to nobody; make one with hinomi users add',
            )
        seen = _organizations(organizations)
        self.end_sessions(name)
        self._end_lent(kept_as(name))
        second = {"totp": "", "totp_new": "", "totp_last": 0, "recovery": []}
        self.change(name, {**second, "subject": "", "roles": [], "organizations": seen})

    def _end_lent(self, key: str) -> None:
        """End the tokens of the account, and the permits and offices that it lent or was lent."""
        for token in self.records.find(TOKEN, {"user": key}):
            self.records.delete(TOKEN, token.id)
        for kind in (PERMIT, DELEGATION):
            for side in ("giver", "taker"):
                for held in self.records.find(kind, {side: key, "state": "open"}):
                    self.records.put(kind, held.id, {**held.body, "state": "ended"}, expect=held.version)

    def end_sessions(self, name: str) -> None:
        """Sign the person out everywhere."""
        for record in self.records.find("session", {"user": kept_as(name)}):
            self.records.delete("session", record.id)


def _refuse_common(name: str, password: str) -> None:
    """Raises InputError for a password that lists of common ones, keyboard rows, repetitions and the account's name lead to soon
    (OWASP ASVS 5.0, 6.2.4; NIST SP 800-63B 3.1.1.2)."""
    from zxcvbn import zxcvbn  # its word lists take a tenth of a second

    beside_name = _NO_LETTER.sub("", password.lower().replace(name, ""))
    known = [name, *_NO_LETTER.split(name), "hinomi"]
    if not beside_name or zxcvbn(password[:_JUDGED], user_inputs=known)["score"] < _STRONG:
        raise InputError(
            "推測されやすいパスワードです。関係のない言葉を四つ以上つなげるなど、別のものにしてください。",
            "this password is easily guessed; choose another, for example four words that have nothing to do with each other",
        )


def _roles(roles: Iterable[str]) -> list[str]:
    given = list(dict.fromkeys(roles))
    for role in given:
        if role not in set(Role):
            known = ", ".join(Role)
            raise InputError(
                f"役割「{role}」は知りません。使える役割: {known}",
                f'unknown role "{role}"; valid roles: {known}',
            )
    return given


def _organizations(names: Iterable[str]) -> list[str]:
    given = list(dict.fromkeys(names))
    for name in given:
        if not re.fullmatch(ID, name):
            raise InputError(
                f"組織「{name[:80]}」の書き方が正しくありません。",
                f'"{name[:80]}" is no name of an organisation',
            )
    return given
