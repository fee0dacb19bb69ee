"""Steps A8–A10 in the cloud, and B1–B2: a robot's account misused in the afternoon."""

from ops.demo import city_systems, entra, fortigate, m365, windows_events
from ops.demo.clockwork import Timed
from ops.demo.story import ACCOMPLICE, ATTACKER, FOOTHOLD, ROBOT, VICTIM, WINDOWS, Stage, Step

_M365, _ENTRA, _FORTIGATE = "microsoft.m365_audit", "microsoft.entra", "fortinet.fortigate"
_VIEWS, _ROBOTS = "city.resident_view", "city.rpa_operation"
_FOLDERS = ("異動受付", "証明書交付", "統計", "窓口マニュアル", "庁内照会")
TERMINAL = "jt-021"


def forwarding(stage: Stage) -> Step:
    """A8: mail that speaks of passwords or payment is passed on to the attacker."""
    stamp, rng, victim = stage.stamp, stage.rng, stage.city.person(VICTIM)
    at = stage.day.at("04:28:10")
    sign_in = entra.sign_in(stamp, at, rng, victim, ATTACKER, entra.STRANGER, "Office365 Shell WCSS-Client")
    parameters = {
        "SubjectOrBodyContainsWords": "パスワード;請求;振込;VPN",
        "ForwardTo": "attacker@mail.example.net",
        "StopProcessingRules": "True",
    }
    records = [
        m365.signed_in(stamp, at + 1_000, rng, victim, ATTACKER),
        m365.inbox_rule(stamp, stage.day.at("04:31:07"), rng, victim, ATTACKER, "..", parameters),
    ]
    return Step(
        "A8",
        "庁外へ転送するメール受信ルールの作成",
        "Inbox rule that forwards outside",
        _M365,
        "04:28",
        "04:32",
        {"user": [VICTIM], "ip": [ATTACKER], "host": []},
        {_M365: records, _ENTRA: [sign_in]},
    )


def downloads(stage: Stage) -> Step:
    """A9: 240 files of the department's site in 25 minutes."""
    victim, start = stage.city.person(VICTIM), stage.day.at("04:40:04")
    files = [
        m365.file(
            stage.stamp,
            start + index * 6_200,
            stage.rng,
            "FileDownloaded",
            victim,
            ATTACKER,
            "shimin",
            f"{_FOLDERS[index % 5]}_{index:03d}.xlsx",
        )
        for index in range(240)
    ]
    return Step(
        "A9",
        "SharePoint からの大量ダウンロード",
        "Bulk download from SharePoint",
        _M365,
        "04:40",
        "05:05",
        {"user": [VICTIM], "ip": [ATTACKER], "host": []},
        {_M365: files},
    )


def sharing(stage: Stage) -> Step:
    """A10: a link for anyone, used at once by the accomplice; then the tunnel is closed."""
    victim, day, name = stage.city.person(VICTIM), stage.day, "窓口マニュアル"
    records = [
        m365.link_created(stage.stamp, day.at(clock), stage.rng, operation, victim, ip, "shimin", name)
        for clock, operation, ip in (
            ("05:10:02", "AnonymousLinkCreated", ATTACKER),
            ("05:12:40", "AnonymousLinkUsed", ACCOMPLICE),
        )
    ]
    opened = day.at("03:14:09")
    closed = fortigate.vpn_closed(day, day.at("05:14:20"), stage.rng, VICTIM, ATTACKER, FOOTHOLD, opened)
    return Step(
        "A10",
        "誰でも開ける共有リンクの作成",
        "Anonymous sharing link",
        _M365,
        "05:10",
        "05:13",
        {"user": [VICTIM], "ip": [ATTACKER, ACCOMPLICE], "host": []},
        {_M365: records, _FORTIGATE: [closed]},
    )


def robot_at_keyboard(stage: Stage) -> Step:
    """B1: someone signs in as the robot at a desk that is not the robot's."""
    city, day = stage.city, stage.day
    pc, robot = city.hosts["pc-0233"], city.person(ROBOT)
    told = city_systems.robot(
        day, day.at("13:05:24"), ROBOT, pc.name, "住民異動照合処理", "対話ログオン", "正常"
    )
    return Step(
        "B1",
        "RPA アカウントの対話ログオン",
        "Robot account used interactively",
        WINDOWS,
        "13:05",
        "13:06",
        {"user": [ROBOT], "ip": [pc.ip], "host": ["pc-0233"]},
        {_ROBOTS: [told]},
        [windows_events.logon(day.at("13:05:20"), pc, robot, 2, pc, 0x41D00B2)],
    )


def bulk_view(stage: Stage) -> Step:
    """B2: 1,200 residents in twenty minutes: sixty lists of ten, four of a hundred and fifty."""
    city, day = stage.city, stage.day
    terminal, robot = city.hosts[TERMINAL], city.person(ROBOT)
    start = day.at("13:10:15")
    views: list[Timed] = []
    for index in range(64):
        many = index % 16 == 15
        operation, records = ("一括照会", 150) if many else ("一覧照会", 10)
        views.append(
            city_systems.viewed(day, start + index * 18_000, terminal, robot, "住民記録", operation, records)
        )
    return Step(
        "B2",
        "住民記録の大量照会(1,200件)",
        "Bulk view of resident records (1,200)",
        _VIEWS,
        "13:10",
        "13:30",
        {"user": [ROBOT], "ip": [terminal.ip], "host": [TERMINAL]},
        {_VIEWS: views},
    )
