"""Steps A1–A7: a sprayed VPN password, a way in at night, and the road to the LGWAN segment."""

from ops.demo import asa, entra, fortigate, linux, windows_events
from ops.demo.clockwork import MINUTE, SECOND, Timed
from ops.demo.story import (
    ACCOMPLICE,
    ADMIN,
    ATTACKER,
    FOOTHOLD,
    VICTIM,
    VICTIM_HOME,
    WINDOWS,
    Stage,
    Step,
    sprayed,
)
from ops.demo.windows import Record

_FORTIGATE, _ASA, _LINUX, _ENTRA = "fortinet.fortigate", "cisco.asa", "linux.auth", "microsoft.entra"
_PORTS = (22, 80, 135, 139, 443, 445, 1433, 3389, 5985, 8080)
_PSEXEC = r"%SystemRoot%\PSEXESVC.exe"


def spray(stage: Stage) -> Step:
    """A1: three rounds over sixteen accounts, slowly enough that no account locks."""
    day, accounts = stage.day, sprayed(stage.city)
    start, step = day.at("02:40:07"), 39 * SECOND
    failures = [
        fortigate.vpn_failed(day, start + index * step + int(stage.rng.random() * 9 * SECOND), user, ATTACKER)
        for index, user in enumerate(accounts * 3)
    ]
    return Step(
        "A1",
        "VPN へのパスワードスプレー",
        "VPN password spray",
        _FORTIGATE,
        "02:40",
        "03:12",
        {"user": accounts, "ip": [ATTACKER], "host": []},
        {_FORTIGATE: failures},
    )


def way_in(stage: Stage) -> Step:
    """A2: one password fits. An hour before, the victim's telephone was at home in Japan."""
    day, rng, victim = stage.day, stage.rng, stage.city.person(VICTIM)
    at_home = entra.sign_in(
        stage.stamp,
        day.at("02:20:33"),
        rng,
        victim,
        VICTIM_HOME,
        entra.PHONE,
        "Office 365 Exchange Online",
        interactive=False,
    )
    opened = fortigate.vpn_opened(day, day.at("03:14:05"), rng, VICTIM, ATTACKER, FOOTHOLD)
    return Step(
        "A2",
        "国外からの VPN サインイン成功(あり得ない移動)",
        "VPN sign-in from abroad (impossible travel)",
        _FORTIGATE,
        "03:14",
        "03:15",
        {"user": [VICTIM], "ip": [ATTACKER, FOOTHOLD], "host": []},
        {_FORTIGATE: opened, _ENTRA: [at_home]},
    )


def scan(stage: Stage) -> Step:
    """A3: which servers answer, in the LGWAN segment and in the own one."""
    targets = [(f"10.20.1.{last}", port) for last in range(10, 34, 2) for port in _PORTS]
    near = [(f"10.30.1.{last}", port) for last in (5, 6, 20, 25, 30, 35, 36, 45) for port in _PORTS]
    stage.rng.shuffle(targets)
    return Step(
        "A3",
        "VPN アドレスからの探索(LGWAN 接続系とサーバ)",
        "Scan from the VPN address towards the LGWAN segment and servers",
        _ASA,
        "03:20",
        "03:40",
        {"user": [VICTIM], "ip": [FOOTHOLD], "host": []},
        {_ASA: _refused(stage, targets), _FORTIGATE: _dropped(stage, near)},
    )


def _refused(stage: Stage, targets: list[tuple[str, int]]) -> list[Timed]:
    start = stage.day.at("03:20:11")
    return [
        asa.denied(
            stage.day, start + index * 3_100, (FOOTHOLD, 50_000 + int(stage.rng.random() * 9_000)), target
        )
        for index, target in enumerate(targets)
    ]


def _dropped(stage: Stage, targets: list[tuple[str, int]]) -> list[Timed]:
    start, rng = stage.day.at("03:28:02"), stage.rng
    return [
        fortigate.traffic(
            stage.day,
            start + index * 6_500,
            rng,
            (FOOTHOLD, 50_000 + int(rng.random() * 9_000), "ssl.root"),
            (ip, port, "port2"),
            f"tcp/{port}",
            0,
            action="deny",
        )
        for index, (ip, port) in enumerate(targets)
    ]


def lateral(stage: Stage) -> Step:
    """A4: bastion and a colleague's PC with the victim's password, then the administrator's by guessing."""
    city = stage.city
    return Step(
        "A4",
        "内部での横展開(リモートデスクトップ、サービス作成、管理者パスワードの総当たり)",
        "Lateral movement: remote desktop, service install, guessed administrator password",
        WINDOWS,
        "03:42",
        "03:55",
        {
            "user": [VICTIM, ADMIN],
            "ip": [FOOTHOLD, city.hosts["pc-0417"].ip],
            "host": ["pc-0417", "srv-app01"],
        },
        {_LINUX: _bastion(stage), _FORTIGATE: _let_through(stage)},
        [*_on_the_pc(stage), *_guessing(stage), *_remote_service(stage)],
    )


def _bastion(stage: Stage) -> list[Timed]:
    start, end = stage.day.at("03:42:10"), stage.day.at("03:42:58")
    source = (FOOTHOLD, 51_022)
    return linux.session(stage.stamp, start, end, "bastion01", 48_211, VICTIM, source, "password")


def _let_through(stage: Stage) -> list[Timed]:
    """The policy for telework allows what the attacker uses now."""
    targets = (
        ("03:42:09", 51_022, "10.30.1.30", 22, "SSH"),
        ("03:43:04", 51_040, stage.city.hosts["pc-0417"].ip, 3389, "RDP"),
    )
    return [
        fortigate.traffic(
            stage.day,
            stage.day.at(clock),
            stage.rng,
            (FOOTHOLD, port, "ssl.root"),
            (ip, service, "port2"),
            name,
            11,
            volume=(90_000, 1_800_000),
            seconds=300,
        )
        for clock, port, ip, service, name in targets
    ]


def _on_the_pc(stage: Stage) -> list[Record]:
    city, day = stage.city, stage.day
    pc, victim, session = city.hosts["pc-0417"], city.person(VICTIM), 0x3A1C07F
    command = r"C:\Windows\System32\net.exe"
    return [
        windows_events.logon(day.at("03:43:05"), pc, victim, 10, FOOTHOLD, session),
        windows_events.process(
            day.at("03:44:20"),
            pc,
            victim,
            command,
            'net  group "Domain Admins" /domain',
            r"C:\Windows\System32\cmd.exe",
            session,
        ),
    ]


def _guessing(stage: Stage) -> list[Record]:
    """Fifteen wrong passwords in three and a half minutes, then the right one."""
    city, day = stage.city, stage.day
    pc, server, admin = city.hosts["pc-0417"], city.hosts["srv-app01"], city.person(ADMIN)
    start = day.at("03:45:02")
    wrong = [windows_events.logon_failed(start + index * 14_000, server, admin, 3, pc) for index in range(15)]
    right, session = day.at("03:49:02"), 0x3B20F11
    return [
        *wrong,
        windows_events.logon(right, server, admin, 3, pc, session, ntlm=True),
        windows_events.privileges(right + 2, server, admin, session),
    ]


def _remote_service(stage: Stage) -> list[Record]:
    """What PsExec leaves on the server it is pointed at."""
    city, at = stage.city, stage.day.at("03:50:15")
    server, admin = city.hosts["srv-app01"], city.person(ADMIN)
    image, shell = r"C:\Windows\PSEXESVC.exe", r"C:\Windows\System32\cmd.exe"
    system = r"NT AUTHORITY\SYSTEM"
    parent = r"C:\Windows\System32\services.exe"
    started, opened = at + SECOND, at + 2 * SECOND
    return [
        windows_events.logon(at - 900, server, admin, 3, city.hosts["pc-0417"], 0x3B21A02, ntlm=True),
        windows_events.service_installed(at, server, "PSEXESVC", _PSEXEC, "LocalSystem"),
        windows_events.service_state(started, server, "PSEXESVC", "実行中"),
        windows_events.sysmon_process(
            started, server, system, image, image, parent, 0x3E7, stage.stamp.zulu(started)
        ),
        windows_events.sysmon_process(
            opened, server, system, shell, '"cmd" /c whoami /groups', image, 0x3E7, stage.stamp.zulu(opened)
        ),
    ]


def promotion(stage: Stage) -> Step:
    """A5: the victim's account becomes a domain administrator, from the domain controller itself."""
    city, day = stage.city, stage.day
    controller, admin, session = city.hosts["dc01"], city.person(ADMIN), 0x3C0917D
    signed_in, added = day.at("04:00:31"), day.at("04:02:11")
    group = ("Domain Admins", windows_events.ADMINS_SID)
    return Step(
        "A5",
        "Domain Admins への追加",
        "Account added to Domain Admins",
        WINDOWS,
        "04:00",
        "04:03",
        {"user": [ADMIN, VICTIM], "ip": [], "host": ["dc01"]},
        records=[
            windows_events.logon(signed_in, controller, admin, 10, city.hosts["pc-0417"], session),
            windows_events.privileges(signed_in + 3, controller, admin, session),
            windows_events.member_added(added, controller, admin, city.person(VICTIM), group, session),
        ],
    )


def crossing(stage: Stage) -> Step:
    """A6: from the PC to the file server of the LGWAN segment; what was read leaves for the accomplice."""
    day, pc, server = stage.day, stage.city.hosts["pc-0417"].ip, stage.city.hosts["srv-file01"].ip
    start = day.at("04:10:04")
    shares: list[Timed] = []
    for index in range(8):
        shares += asa.connection(
            day,
            start + index * 70 * SECOND,
            889_100_000 + index,
            (pc, 50_210 + index),
            (server, 445),
            volume=4_000_000 + index * 731_337,
            seconds=45,
        )
    leaving = [
        fortigate.traffic(
            day,
            day.at("04:21:30") + index * MINUTE,
            stage.rng,
            (pc, 50_300 + index, "port2"),
            (ACCOMPLICE, 443, "port1"),
            "HTTPS",
            3,
            volume=(16_500_000, 42_000),
            seconds=50,
            translated="198.51.100.10",
        )
        for index in range(3)
    ]
    return Step(
        "A6",
        "インターネット接続系から LGWAN 接続系ファイルサーバへの接続",
        "Cross-zone connection to a file server in the LGWAN segment",
        _ASA,
        "04:10",
        "04:20",
        {"user": [], "ip": [pc, server, ACCOMPLICE], "host": ["pc-0417", "srv-file01"]},
        {_ASA: shares, _FORTIGATE: leaving},
    )


def covering(stage: Stage) -> Step:
    """A7: the PC's Security log is cleared."""
    pc, victim = stage.city.hosts["pc-0417"], stage.city.person(VICTIM)
    return Step(
        "A7",
        "セキュリティログの消去",
        "Security log cleared",
        WINDOWS,
        "04:25",
        "04:26",
        {"user": [VICTIM], "ip": [], "host": ["pc-0417"]},
        records=[windows_events.log_cleared(stage.day.at("04:25:30"), pc, victim, 0x3A1C07F)],
    )
