"""Work on a case: graph, risk, evidence and its seal, merge, split, tasks, filters that come of a verdict."""

import hashlib
import io
import zipfile
from datetime import timedelta
from pathlib import Path

import pytest
import yaml
from sigma.filters import SigmaFilter

from hinomi.clock import FixedClock
from hinomi.errors import HinomiError, InputError, Refused
from hinomi.incident import Incident, Status, Verdict
from responders.desk import Desk
from responders.incidents.evidence import verify_sealed
from responders.incidents.graph import graph
from responders.incidents.risk import risk
from responders.incidents.shelf import FolderShelf
from responders.responder import Responder, desk
from tests.responders.city import ANALYST, KEY, MANAGER, NIGHT, alert, responder

AS = {"actor": "sato", "roles": ANALYST}
VIEWER = {"actor": "kansa", "roles": ["viewer"]}


@pytest.fixture
def tower(tmp_path: Path) -> tuple[Responder, FixedClock, Desk]:
    made, clock = responder(tmp_path)
    return made, clock, desk(made.records, clock, KEY, FolderShelf(tmp_path / "evidence"))


def held(made: Responder, identity: str) -> Incident:
    record = made.records.get("incident", identity)
    assert record is not None
    return Incident.model_validate(record.body)


def test_a_graph_joins_what_alerts_name_together() -> None:
    """A person and a machine, the machine and an address: the person reaches the address, a stranger does not."""
    made = graph(
        [
            alert(
                "a",
                entities={"user.name": ["T.Yamada"], "host.name": ["PC-1.city.example.jp"]},
                zones=["lgwan"],
            ),
            alert("b", minutes=5, entities={"host.name": ["pc-1"], "destination.ip": ["203.0.113.9"]}),
            alert("c", entities={"user.name": ["k.ito"]}),
            alert("d", minutes=9, entities={"host.name": ["pc-1"], "file.hash.sha256": ["AB"]}),
        ]
    )
    assert made.reach("user:t.yamada") == {"user:t.yamada", "host:pc-1", "address:203.0.113.9", "file:ab"}
    assert made.reach("user:k.ito") == {"user:k.ito"}
    host = next(node for node in made.nodes if node.id == "host:pc-1")
    assert (host.alerts, host.zones) == (3, ("lgwan",)) and host.last - host.first == timedelta(minutes=9)


def test_risk_says_why() -> None:
    """A knock is low, an attack that came through stages into the inner network is high; parts add up and are told."""
    knock = risk([alert(level="medium")])
    deep = risk(
        [
            alert("a", tags=["attack.credential_access"]),
            alert("b", level="critical", zones=["internet", "mynumber"], tags=["attack.lateral-movement"]),
        ],
        privileged=["T.Yamada"],
    )
    assert knock.score == 15 and deep.score > 80
    assert deep.score == min(100, sum(part.points for part in deep.parts))
    told = "".join(part.why.ja for part in deep.parts)
    assert "網をまたいで" in told and "横への広がり" in told and "特権アカウント" in told


def test_the_incident_carries_its_risk(tower: tuple[Responder, FixedClock, Desk]) -> None:
    """Worked out again with each alert."""
    made, _, _ = tower
    [one] = made.receive([alert()])
    [two] = made.receive([alert("b", minutes=1, level="critical", zones=["lgwan"])])
    assert two.id == one.id and two.fields["risk"]["score"] > one.fields["risk"]["score"]
    assert two.fields["risk"]["reasons"][0]["ja"]


def _packed(**files: bytes) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for name, content in files.items():
            archive.writestr(name.replace("_json", ".json"), content)
    return made.getvalue()


def _encrypted(archive: bytes) -> bytes:
    """With the flag of an encrypted member set in both places where a ZIP has it."""
    made = bytearray(archive)
    for mark, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        made[made.index(mark) + at] |= 1
    return bytes(made)


SEAL = b"manifest.json sha256 aa\naudit entry 1\n"


@pytest.mark.parametrize(
    "archive",
    [
        _packed(manifest_json=b'{"files": []}', SEAL=b"manifest.json sha256"),
        _packed(manifest_json=b'{"files": []}', SEAL=b""),
        _packed(manifest_json=b'{"files": []}', SEAL=b"\xff\xfe"),
        _packed(manifest_json=b'{"files": [{"sha256": "aa"}]}', SEAL=SEAL),
        _packed(manifest_json=b'{"files": [7]}', SEAL=SEAL),
        _packed(manifest_json=b"[]", SEAL=SEAL),
        _packed(manifest_json=b"{", SEAL=SEAL),
        _packed(SEAL=SEAL),
        _encrypted(_packed(manifest_json=b'{"files": []}', SEAL=SEAL)),
        _packed(manifest_json=b'{"files": []}', SEAL=SEAL)[:-30],
        b"",
    ],
)
def test_what_is_no_sealed_zip_is_said_so(archive: bytes) -> None:
    """Cut, encrypted, or with lists that lack what they must have: an answer, no crash in front of whoever hands it over."""
    [problem] = verify_sealed(archive)
    assert "封印された ZIP として読めません" in problem and "not a sealed ZIP" in problem


def test_evidence_is_hashed_chained_and_sealed(
    tower: tuple[Responder, FixedClock, Desk], tmp_path: Path
) -> None:
    """Taken once, each look a link; the ZIP is whole; a changed file, a stranger, a changed manifest are found."""
    made, _, people = tower
    [incident] = made.receive([alert()])
    taken = people.cases.take_evidence(incident.id, "../mem ory.raw", b"RAM", origin="PC-114 のメモリ", **AS)
    again = people.cases.take_evidence(incident.id, "mem ory.raw", b"RAM", origin="PC-114 のメモリ", **AS)
    assert again.id == taken.id and taken.body["name"] == "mem_ory.raw"
    assert people.cases.read_evidence(taken.id, "解析のため", **AS) == b"RAM"
    people.cases.hand_evidence(taken.id, "県警へ引き渡し", **AS)
    archive = people.cases.seal(incident.id, "県警へ", **AS)
    [piece] = people.cases.evidence(incident.id)
    assert [link["what"] for link in piece.body["custody"]] == ["collected", "read", "handed", "exported"]
    assert verify_sealed(archive, made.records) == []
    assert verify_sealed(_changed(archive, "files/", b"RAN"), made.records)
    assert verify_sealed(_changed(archive, "manifest.json", b'{"files":[]}'), made.records)
    assert verify_sealed(b"no zip", made.records)
    [blob] = [path for path in (tmp_path / "evidence").rglob("*") if path.is_file()]
    blob.chmod(0o600)
    blob.write_bytes(b"XXX")
    with pytest.raises(HinomiError, match="書き換え"):
        people.cases.read_evidence(taken.id, "解析のため", **AS)
    with pytest.raises(HinomiError, match="書き換え"):
        people.cases.seal(incident.id, "県警へ", **AS)
    [piece] = people.cases.evidence(incident.id)
    assert [link["what"] for link in piece.body["custody"]].count("exported") == 1, (
        "what was not sealed was not handed out"
    )
    assert len(made.records.find("audit", {"action": "evidence.sealed"})) == 1
    assert made.audit.verify() == []


def _changed(archive: bytes, name: str, content: bytes) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(archive)) as old, zipfile.ZipFile(packed, "w") as new:
        for one in old.namelist():
            new.writestr(one, content if one.startswith(name) else old.read(one))
    return packed.getvalue()


def test_a_split_stays_apart_and_a_merge_joins(tower: tuple[Responder, FixedClock, Desk]) -> None:
    """Two alerts of one person turn out to be two matters; new alerts join the older one, nothing merges by itself."""
    made, _, people = tower
    made.receive([alert("a"), alert("b", minutes=1), alert("c", minutes=2)])
    [whole] = [Incident.model_validate(one.body) for one in made.records.find("incident")]
    with pytest.raises(InputError, match="一部"):
        people.cases.split(whole.id, whole.alert_ids, "全部", **AS)
    people.cases.split(whole.id, ["b-1"], "別の件", **AS)
    made.tick()
    made.tick()
    one, two = (Incident.model_validate(r.body) for r in made.records.find("incident", order="number"))
    assert (one.alert_ids, two.alert_ids) == (["a-0", "c-2"], ["b-1"]) and two.number == 2
    assert "分けました" in one.timeline[-1].ja and "分けました" in two.timeline[-1].ja
    [after] = made.receive([alert("d", minutes=3)])
    assert after.id == one.id and held(made, two.id).status is not Status.CLOSED
    joined = people.cases.merge(two.id, [one.id], "やはり同じ件", **AS)
    assert joined.id == one.id and set(joined.alert_ids) == {"a-0", "b-1", "c-2", "d-3"}
    assert held(made, two.id).status is Status.CLOSED and joined.timeline[-1].actor == "sato"


def test_tasks(tower: tuple[Responder, FixedClock, Desk]) -> None:
    """Added, done once, each a line."""
    made, _, people = tower
    [incident] = made.receive([alert()])
    task = people.cases.add_task(incident.id, "本人に電話する", assignee="sato", **AS)
    people.cases.finish_task(task.id, note="本人の操作ではない", **AS)
    with pytest.raises(InputError):
        people.cases.finish_task(task.id, **AS)
    assert people.cases.tasks(incident.id)[0].body["state"] == "done"
    assert [line.kind for line in held(made, incident.id).timeline[-2:]] == ["task", "task"]


def test_a_verdict_makes_a_filter_that_another_person_reviews(
    tower: tuple[Responder, FixedClock, Desk],
) -> None:
    """Only of what was no attack; narrow, with an end; silent for exactly these until then; taken back, it speaks."""
    made, clock, people = tower
    [incident] = made.receive([alert("scan", entities={"source.ip": ["192.0.2.7"]})])
    where = people.cases.suggest_filter(incident.id, "scan")
    until = NIGHT + timedelta(days=30)
    with pytest.raises(InputError, match="誤検知"):
        people.cases.propose_filter(incident.id, "scan", where, "脆弱性診断", until, **AS)
    people.close(incident.id, Verdict.BENIGN, "委託先の診断", **AS)
    with pytest.raises(InputError, match="180"):
        people.cases.propose_filter(incident.id, "scan", where, "診断", NIGHT + timedelta(days=400), **AS)
    proposal = people.cases.propose_filter(incident.id, "scan", where, "脆弱性診断", until, **AS)
    read = SigmaFilter.from_dict(yaml.safe_load(proposal.body["sigma"]))
    assert read.filter.rules and where == {"source.ip": "192.0.2.7"}
    with pytest.raises(Refused):
        people.cases.review_filter(proposal.id, True, "", actor=" Sato", roles=MANAGER)
    preview = people.cases.preview_filter(proposal.id)
    assert (preview.covers, preview.of) == (1, 1)
    people.cases.review_filter(proposal.id, True, "確認した", actor="suzuki", roles=MANAGER)
    same = {"entities": {"source.ip": ["192.0.2.7"]}}
    assert made.receive([alert("scan", minutes=5, **same)]) == []
    assert made.receive([alert("scan", minutes=6, entities={"source.ip": ["192.0.2.8"]})])
    clock.advance(timedelta(days=31))
    assert made.receive([alert("scan", minutes=7, **same)])


def test_a_filter_of_one_town_leaves_the_others_speaking(tower: tuple[Responder, FixedClock, Desk]) -> None:
    """What was a false alarm about East's t.yamada says nothing of West's, nor of nobody's; a filter from before there were
    organisations holds for all, as does planned work."""
    made, _, people = tower
    about = {"user.name": ["t.yamada"], "source.ip": ["10.0.0.1"]}
    [incident] = made.receive([alert("scan", entities=about, organization="east")])
    people.close(incident.id, Verdict.FALSE_POSITIVE, "誤り", **AS)
    where = people.cases.suggest_filter(incident.id, "scan")
    proposal = people.cases.propose_filter(
        incident.id, "scan", where, "誤り", NIGHT + timedelta(days=3), **AS
    )
    assert yaml.safe_load(proposal.body["sigma"])["filter"]["selection"]["hinomi.organization"] == "east"
    people.cases.review_filter(proposal.id, True, "確認した", actor="suzuki", roles=MANAGER)

    def called(minute: int) -> list[str]:
        towns = ("east", "west", "")
        coming = [alert("scan", minutes=minute, entities=about, organization=town) for town in towns]
        own = [one.model_copy(update={"id": f"{one.id}-{one.organization}"}) for one in coming]
        return [one.organization for each in own for one in made.receive([each])]

    assert called(5) == ["west", ""]
    held = made.records.get("suppression", proposal.id)
    assert held is not None
    older = {name: value for name, value in held.body.items() if name != "organization"}
    made.records.put("suppression", proposal.id, older)
    assert called(6) == []


@pytest.mark.parametrize("name", ["add_task", "merge", "split", "seal", "take_evidence", "propose_filter"])
def test_who_may_not(tower: tuple[Responder, FixedClock, Desk], name: str) -> None:
    """A viewer is refused, in the audit log."""
    made, _, people = tower
    [incident] = made.receive([alert()])
    calls = {
        "add_task": lambda: people.cases.add_task(incident.id, "x", **VIEWER),
        "merge": lambda: people.cases.merge(incident.id, [], "x", **VIEWER),
        "split": lambda: people.cases.split(incident.id, [], "x", **VIEWER),
        "seal": lambda: people.cases.seal(incident.id, "x", **VIEWER),
        "take_evidence": lambda: people.cases.take_evidence(
            incident.id,
            "x",
            b"",
            origin="x",
            **VIEWER,
        ),
        "propose_filter": lambda: people.cases.propose_filter(
            incident.id,
            "x",
            {},
            "x",
            NIGHT,
            **VIEWER,
        ),
    }
    with pytest.raises(Refused, match="役割"):
        calls[name]()
    last = made.records.last("audit")
    assert last is not None and last.body["action"].endswith(".refused")


def test_an_empty_file_and_a_whole_subscription_join_nothing(
    tower: tuple[Responder, FixedClock, Desk],
) -> None:
    """One file, or one thing of a cloud in whatever letters, joins; what everybody has does not."""
    made, _, _ = tower
    nothing, one = hashlib.sha256(b"").hexdigest(), hashlib.sha256(b"x").hexdigest()

    def home(name: str, minutes: int, **named: list[str]) -> str:
        [incident] = made.receive([alert(name, minutes=minutes, entities=named)])
        return incident.id

    cloud = "/subscriptions/s/resourceGroups/r/providers/Microsoft.KeyVault/vaults/v"
    about: list[tuple[str, str, bool]] = [
        ("file.hash.sha256", one, True),
        ("file.hash.sha256", nothing, False),
        ("cloud.resource.id", cloud, True),
        ("cloud.resource.id", "/SUBSCRIPTIONS/S", False),
    ]
    for number, (field, value, joins) in enumerate(about):
        first = home(f"a{number}", 0, **{field: [value], "host.name": [f"one{number}"]})
        then = home(f"b{number}", 1, **{field: [value.upper()], "host.name": [f"two{number}"]})
        assert (first == then) is joins, (field, value)
