"""From a line to the signal on firewall, proxy, name server and SaaS logs, with every public rule loaded, on one core.

Whole `hinomi hunt` processes over a file of lines; what a run over one line takes is taken off. Aim: 100,000
events/s of one core. The lines are generated; about none of them matches, but for the second kind of CloudTrail's: there
every record says by whom its role was given, as real ones do, and a public rule (AWS STS AssumeRole Misuse) holds of each.
Names of sources behind `python -m benchmarks.lines` measure only these; HINOMI_EVENTS: how many lines (starting varies by some
tenths of a second, which is a third of what 100,000 lines of CloudTrail take).
"""

import json
import os
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path
from random import Random

from benchmarks._corpora import corpus
from benchmarks._fortigate_lines import lines as fortigate
from benchmarks._rusage import run
from benchmarks._server_lines import asa, bind, squid

EVENTS, AIM, ROUNDS = int(os.environ.get("HINOMI_EVENTS", "100000")), 100_000, 3


def main() -> None:
    """Print events a processor second of each source, and the ratio to the aim."""
    with tempfile.TemporaryDirectory() as folder:
        for source, lines in _sources():
            if sys.argv[1:] and source.partition(" ")[0] not in sys.argv[1:]:
                continue
            one, many = Path(folder) / "one.log", Path(folder) / "many.log"
            many.write_text("\n".join(lines) + "\n", encoding="utf-8")
            one.write_text(lines[0] + "\n", encoding="utf-8")
            command = [
                sys.executable,
                "-m",
                "ops.cli",
                "hunt",
                "--source",
                source.partition(" ")[0],
                "--jsonl",
            ]
            command += ["--rules", str(corpus("sigma"))]
            run([*command, str(one)])
            net = min(run([*command, str(many)]).cpu for _ in range(ROUNDS)) - min(
                run([*command, str(one)]).cpu for _ in range(ROUNDS)
            )
            if net <= 0:
                print(f"{source:32} below the noise of starting")
                continue
            rate = len(lines) / net
            print(f"{source:32} {rate:9,.0f} events/s of processor, {rate / AIM:.2f} of the aim")


def _sources() -> Iterable[tuple[str, list[str]]]:
    yield "fortinet.fortigate", [line.decode() for line in fortigate(EVENTS)]
    yield "cisco.asa", asa(EVENTS)
    yield "squid.access", squid(EVENTS)
    yield "isc.bind", bind(EVENTS)
    yield "microsoft.m365_audit", list(_m365(EVENTS))
    yield "aws.cloudtrail", list(_cloudtrail(EVENTS))
    yield "aws.cloudtrail (all match)", list(_cloudtrail(EVENTS // 10, issued=True))


_ISSUED = {
    "sessionContext": {
        "sessionIssuer": {
            "type": "Role",
            "principalId": "AROAEXAMPLE001",
            "arn": "arn:aws:iam::111122223333:role/operator",
            "accountId": "111122223333",
            "userName": "operator",
        },
        "attributes": {"creationDate": "2026-11-20T00:00:00Z", "mfaAuthenticated": "false"},
    }
}


def _m365(n: int) -> Iterable[str]:
    """Unified audit records as the management API gives them."""
    rng = Random(1)
    for number in range(n):
        yield json.dumps(
            {
                "CreationTime": f"2026-11-20T{number // 3600 % 24:02d}:{number // 60 % 60:02d}:{number % 60:02d}",
                "Id": f"6c1b0e1e-1111-4111-8111-{number:012d}",
                "Operation": rng.choice(
                    ["FileAccessed", "FileDownloaded", "UserLoggedIn", "MailItemsAccessed"]
                ),
                "OrganizationId": "11111111-2222-4333-8444-555555555555",
                "RecordType": 6,
                "UserKey": f"10032000{rng.randrange(900):08d}",
                "UserType": 0,
                "Version": 1,
                "Workload": "SharePoint",
                "UserId": f"user{rng.randrange(900):03d}@city.hinomi.example.jp",
                "ClientIP": f"203.0.113.{rng.randrange(1, 250)}",
                "UserAgent": "Mozilla/5.0 (X11; Linux x86_64)",
                "ObjectId": f"https://hinomi.sharepoint.example.jp/sites/shimin/{number}.xlsx",
                "SourceFileName": f"{number}.xlsx",
                "SourceFileExtension": "xlsx",
            },
            ensure_ascii=False,
        )


def _cloudtrail(n: int, *, issued: bool = False) -> Iterable[str]:
    """CloudTrail records, one a line: what a console and some programs do all day.

    issued: with the session's issuer, of which one public rule holds."""
    rng = Random(1)
    for number in range(n):
        name = rng.choice(["DescribeInstances", "GetObject", "ListBuckets", "AssumeRole", "GetParameter"])
        yield json.dumps(
            {
                "eventVersion": "1.09",
                "userIdentity": {
                    "type": "AssumedRole",
                    "principalId": f"AROAEXAMPLE{rng.randrange(90):03d}:user{rng.randrange(900):03d}",
                    "arn": f"arn:aws:sts::111122223333:assumed-role/operator/user{rng.randrange(900):03d}",
                    "accountId": "111122223333",
                    **(_ISSUED if issued else {}),
                },
                "eventTime": f"2026-11-20T{number // 3600 % 24:02d}:{number // 60 % 60:02d}:{number % 60:02d}Z",
                "eventSource": rng.choice(["ec2.amazonaws.com", "s3.amazonaws.com", "sts.amazonaws.com"]),
                "eventName": name,
                "awsRegion": "ap-northeast-1",
                "sourceIPAddress": f"203.0.113.{rng.randrange(1, 250)}",
                "userAgent": "aws-cli/2.15.30 Python/3.11.8 Linux/6.1 exe/x86_64",
                "requestParameters": {"bucketName": f"city-{rng.randrange(40)}", "key": f"docs/{number}.pdf"},
                "responseElements": None,
                "requestID": f"{rng.randrange(16**12):012x}",
                "eventID": f"6c1b0e1e-2222-4222-8222-{number:012d}",
                "readOnly": True,
                "eventType": "AwsApiCall",
                "recipientAccountId": "111122223333",
            }
        )


if __name__ == "__main__":
    main()
