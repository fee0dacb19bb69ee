"""The city's own systems: application portal, resident records, RPA robots, minutes transcription.

Invented formats of the kind that Japanese packages write: CSV with a Japanese header (the resident system in
CP932), local time as `2026/11/20 09:15:02`; the transcription service writes JSON lines.
"""

from collections.abc import Iterator
from random import Random

import orjson

from ops.demo.city import RESIDENT_DEPARTMENTS, Host, Person
from ops.demo.clockwork import MINUTE, OFFICE, RESIDENTS, SECOND, Day, Routine, Stamp, Timed, rhythm

PORTAL_HEADER = "受付日時,申請番号,手続名,利用者ID,接続元IP,操作,結果"
VIEW_HEADER = "操作日時,端末名,端末IP,職員ID,所属,業務,操作,照会件数,結果"
ROBOT_HEADER = "日時,ロボット名,実行アカウント,端末,プロセス,操作,結果"
ROBOTS = {"rpa01": "税通知取込ロボ", "rpa02": "住民異動照合ロボ", "rpa03": "給付審査ロボ"}
_PROCEDURES = (
    "住民票の写し交付申請",
    "児童手当認定請求",
    "転出届",
    "粗大ごみ収集申込",
    "施設予約",
    "犬の登録",
)
_WORK = (("住民記録", 46), ("印鑑登録", 16), ("税証明", 16), ("国民健康保険", 12), ("戸籍附票", 10))
_MEETINGS = ("庁議", "予算査定会議", "情報化推進委員会", "防災対策会議", "総合計画審議会", "課内会議")


def _moment(day: Day, at: int) -> str:
    return f"{day.date:%Y/%m/%d} {day.clock(at)}"


def viewed(
    day: Day,
    at: int,
    terminal: Host,
    person: Person,
    work: str,
    operation: str,
    records: int,
    result: str = "正常",
) -> Timed:
    """A look into the resident records, CP932. records: how many residents were shown."""
    row = (
        _moment(day, at),
        terminal.name,
        terminal.ip,
        person.account,
        person.department,
        work,
        operation,
        records,
        result,
    )
    return Timed(at, ",".join(map(str, row)).encode("cp932"))


def robot(day: Day, at: int, account: str, host: str, process: str, operation: str, result: str) -> Timed:
    """A line of the robots' orchestrator."""
    row = (_moment(day, at), ROBOTS[account], account, host, process, operation, result)
    return Timed(at, ",".join(row).encode())


def resident_views(routine: Routine, rng: Random, scale: float) -> Iterator[Timed]:
    """Clerks at their counters, one to four residents a look: about 3,200 lines at scale 1."""
    day = routine.day
    yield Timed(day.midnight, VIEW_HEADER.encode("cp932"))
    counters = _counters(routine)
    names, weights = [name for name, _ in _WORK], [weight for _, weight in _WORK]
    for at in rhythm(rng, day, 3_200 * scale, _OPENING):
        person, terminal = rng.choice(counters)
        operation, most = rng.choice((("個人照会", 1), ("個人照会", 1), ("世帯照会", 4), ("証明書発行", 1)))
        records = 1 + int(rng.random() * most)
        result = "該当なし" if rng.random() < 0.02 else "正常"
        yield viewed(day, at, terminal, person, rng.choices(names, weights)[0], operation, records, result)
    yield from _robot_views(routine, rng, scale)


_OPENING = (0, 0, 0, 0, 0, 0, 0, 0, 20, 100, 96, 88, 60, 84, 90, 86, 78, 12, 0, 0, 0, 0, 0, 0)


def _counters(routine: Routine) -> list[tuple[Person, Host]]:
    """Each terminal with the clerk who sits there today."""
    clerks: dict[str, list[Person]] = {department: [] for department in RESIDENT_DEPARTMENTS}
    for person in routine.city.staff[1:]:
        if person.pc and person.department in clerks:
            clerks[person.department].append(person)
    terminals = [host for name, host in routine.city.hosts.items() if name.startswith("jt-")]
    return [(clerks[host.department].pop(), host) for host in terminals if clerks[host.department]]


def _robot_views(routine: Routine, rng: Random, scale: float) -> Iterator[Timed]:
    """rpa02 compares moves three times a day, one resident at a time, on its own machine."""
    person, host = routine.city.person("rpa02"), routine.city.hosts["srv-rpa02"]
    for clock in ("07:31", "12:31", "18:31"):
        for index in range(max(2, round(12 * min(1, scale)))):
            at = routine.day.at(clock) + index * 75 * SECOND + int(rng.random() * 9 * SECOND)
            yield viewed(routine.day, at, host, person, "住民記録", "個人照会", 1)


def portal(routine: Routine, rng: Random, scale: float) -> Iterator[Timed]:
    """Residents apply from home: about 2,600 lines at scale 1."""
    day = routine.day
    yield Timed(day.midnight, PORTAL_HEADER.encode())
    last = day.at("23:59:59")
    for number, at in enumerate(sorted(rhythm(rng, day, 800 * scale, RESIDENTS)), start=1):
        resident = f"U{100_000 + number * 97 % 800_000:06d}"
        ip = f"198.18.{64 + number // 240}.{number % 240 + 5}"
        steps = [("ログイン", "成功"), ("申請", "受付"), ("ログアウト", "成功")]
        if rng.random() < 0.3:
            steps.insert(1, ("添付", "成功"))
        if rng.random() < 0.06:
            steps.insert(0, ("ログイン", "失敗"))
        procedure, application = rng.choice(_PROCEDURES), f"H{day.date:%Y%m%d}-{number:05d}"
        for index, (operation, result) in enumerate(steps):
            when = min(at + index * 95 * SECOND, last)
            row = (_moment(day, when), application, procedure, resident, ip, operation, result)
            yield Timed(when, ",".join(row).encode())


def robots(routine: Routine, rng: Random, scale: float) -> Iterator[Timed]:
    """Robots on schedule, on their own machines: about 700 lines at scale 1."""
    day = routine.day
    yield Timed(day.midnight, ROBOT_HEADER.encode())
    schedule = {"rpa01": range(6, 21), "rpa02": (7, 12, 18), "rpa03": (22,)}
    for account, hours in schedule.items():
        host, process = f"srv-rpa0{account[-1]}", f"{ROBOTS[account][:-2]}処理"
        for hour in hours:
            start = day.at(f"{hour:02d}:30")
            yield robot(day, start - 8 * SECOND, account, host, process, "自動ログオン", "正常")
            items = max(1, round(32 * min(1, scale)))
            for index in range(items):
                at = start + index * 40 * SECOND + int(rng.random() * 20 * SECOND)
                result = "警告" if rng.random() < 0.02 else "正常"
                yield robot(day, at, account, host, process, "データ処理", result)
            yield robot(day, start + 24 * MINUTE, account, host, process, "処理終了", "正常")


def minutes(routine: Routine, rng: Random, scale: float) -> Iterator[Timed]:
    """Recordings become minutes that colleagues read: about 240 lines at scale 1."""
    stamp = Stamp(routine.day)
    for at in rhythm(rng, routine.day, 60 * max(scale, 0.02), OFFICE):
        shift = routine.presence.someone(rng, at)
        if not shift:
            continue
        person, meeting = shift.person, rng.choice(_MEETINGS)
        colleague = rng.choice(routine.shifts).person
        title = f"{meeting}_{routine.day.date:%m%d}_{int(rng.random() * 90) + 10}"
        steps = [(0, "upload", ""), (4, "transcribe", ""), (9, "view", "")]
        if rng.random() < 0.4:
            steps.append((12, "share", colleague.mail))
        if rng.random() < 0.25:
            steps.append((14, "export", "docx"))
        for delay, action, target in steps:
            when = at + delay * MINUTE
            document = {
                "time": stamp.jst(when),
                "user": person.account,
                "ip": shift.pc.ip,
                "action": action,
                "meeting": meeting,
                "title": title,
                "target": target,
            }
            yield Timed(when, orjson.dumps(document))
