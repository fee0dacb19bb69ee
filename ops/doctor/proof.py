"""Is the audit log whole, and is the console safe where it listens?"""

from collections.abc import Iterator

from hinomi.clock import SystemClock
from hinomi.words import Words
from ops.doctor.finding import Check, Part, Patient
from responders.audit import Audit

_HERE = {"127.0.0.1", "::1", "localhost"}
_PRESERVE = Words("記録を保全し、統括情報セキュリティ責任者に報告してください。", "preserve it and report it")
_TLS = Words(
    "console.tls_certificate と tls_key を設定してください。", "set console.tls_certificate and tls_key"
)
_EVERYTHING = Words(
    'グループと見える組織の対応(すべてなら "*")を書いてください。',
    'say whose things which group sees ("*": everybody\'s)',
)
_ADD = Words("hinomi users add で追加してください。", "add one with hinomi users add")


def audit(patient: Patient) -> Iterator[Check]:
    """Is every entry of the audit log there, unedited and in order?"""
    problems, part = Audit(patient.records, SystemClock()).verify(), Part("監査記録", "audit log")
    if problems:
        yield part.bad(problems[0].ja, problems[0].en, _PRESERVE)
    else:
        yield part.good("問題ありません。", "whole")


def console(patient: Patient) -> Iterator[Check]:
    """Does it listen beyond this machine without TLS, and may anybody sign in?"""
    settings, part = patient.settings.console, Part("画面", "console")
    where = f"{settings.address}:{settings.port}"
    if not settings.tls and settings.address not in _HERE:
        yield part.bad("暗号化なしで庁内に公開しています。", "it is open to the network without TLS", _TLS)
    elif not patient.records.count("user"):
        yield part.warn("利用者がいません。", "there are no users", _ADD)
    else:
        yield part.good(where, where)
    yield from _unlimited(patient, part)


def _unlimited(patient: Patient, part: Part) -> Iterator[Check]:
    """Does a directory show every organisation to whoever is new?"""
    console = patient.settings.console
    for way, signing in (("ldap", console.ldap), ("oidc", console.oidc)):
        if patient.settings.organizations and signing and not signing.organizations:
            ja = f"console.{way} から入る新しい人には、すべての組織が見えます(console.{way}.organizations がありません)。"
            en = f"whoever is new by console.{way} sees every organisation: console.{way}.organizations is not there"
            yield part.warn(ja, en, _EVERYTHING)
