"""What the city's Windows machines log on an ordinary day: sign-ins, processes, services, administration."""

from collections.abc import Iterator
from random import Random

from ops.demo import windows_events
from ops.demo.city import AD_SID, Host, Person
from ops.demo.clockwork import HOUR, MACHINES, MINUTE, OFFICE, SECOND, Day, Routine, Shift, Stamp, rhythm
from ops.demo.windows import Record

_OFFICE = r"C:\Program Files\Microsoft Office\root\Office16"
_PROGRAMS = (
    (rf"{_OFFICE}\WINWORD.EXE", r'"{}" /n "C:\Users\{}\Documents\起案.docx"'),
    (rf"{_OFFICE}\EXCEL.EXE", r'"{}" "C:\Users\{}\Documents\集計表.xlsx"'),
    (rf"{_OFFICE}\OUTLOOK.EXE", r'"{}"'),
    (r"C:\Program Files (x86)\Microsoft\Edge\Application\msedge.exe", r'"{}" --profile-directory=Default'),
    (r"C:\Windows\System32\notepad.exe", r'"{}" C:\Users\{}\Desktop\memo.txt'),
)
_SERVICES = ("Windows Update", "Background Intelligent Transfer Service", "Software Protection", "WinRM")
_SCRIPTS = (
    "Get-EventLog -LogName System -Newest 50 | Where-Object EntryType -eq 'Error' | Out-File D:\\errors.txt",
    "Get-Service | Where-Object Status -ne 'Running' | Select-Object Name, Status",
    "Get-PSDrive -PSProvider FileSystem | Select-Object Name, Used, Free",
)
_SERVERS = ("dc01", "dc02", "srv-app01", "srv-print01", "srv-backup01")


def dull(routine: Routine, rng: Random, scale: float) -> Iterator[Record]:
    """An ordinary day: about 24,000 events at scale 1."""
    for shift in routine.shifts:
        yield from _workday(routine, shift, rng)
    yield from _network_logons(routine, rng, 9_000 * scale)
    yield from _processes(routine, rng, 4_500 * scale)
    yield from _services(routine, rng, 900 * scale)
    yield from _sysmon(routine, rng, 700 * scale)
    yield from _backup(routine, rng)
    yield from _robots(routine, rng, scale)
    yield from _administration(routine, rng)
    yield from _slips(routine, rng)


def _session(rng: Random) -> int:
    return 0x100000 + int(rng.random() * 0x3FFFFFF)


def _workday(routine: Routine, shift: Shift, rng: Random) -> Iterator[Record]:
    """At the keyboard in the morning, unlocked after lunch, off in the evening."""
    session = _session(rng)
    yield windows_events.logon(shift.arrive, shift.pc, shift.person, 2, shift.pc, session)
    lunch = routine.day.at("12:58") + int(rng.random() * 6 * MINUTE)
    yield windows_events.logon(lunch, shift.pc, shift.person, 7, shift.pc, _session(rng))
    yield windows_events.logoff(shift.leave, shift.pc, shift.person, 2, session)


def _network_logons(routine: Routine, rng: Random, count: float) -> Iterator[Record]:
    """Group policy, printing and shares: each person with the controllers and the print server only."""
    hosts = [routine.city.hosts[name] for name in ("dc01", "dc02", "srv-print01")]
    last = routine.day.midnight + 24 * HOUR - 1
    for at in rhythm(rng, routine.day, count, OFFICE):
        shift = routine.presence.someone(rng, at)
        if shift:
            host, session = rng.choices(hosts, (5, 4, 1))[0], _session(rng)
            yield windows_events.logon(at, host, shift.person, 3, shift.pc, session)
            until = at + int(rng.random() * 90 * SECOND) + 50
            yield windows_events.logoff(min(until, last), host, shift.person, 3, session)


def _processes(routine: Routine, rng: Random, count: float) -> Iterator[Record]:
    for at in rhythm(rng, routine.day, count, OFFICE):
        shift = routine.presence.someone(rng, at)
        if shift:
            image, command = rng.choice(_PROGRAMS)
            line = command.format(image, shift.person.account)
            parent = r"C:\Windows\explorer.exe"
            yield windows_events.process(at, shift.pc, shift.person, image, line, parent, _session(rng))


def _services(routine: Routine, rng: Random, count: float) -> Iterator[Record]:
    for at in rhythm(rng, routine.day, count, MACHINES):
        host = routine.city.hosts[rng.choice(_SERVERS)]
        yield windows_events.service_state(at, host, rng.choice(_SERVICES), rng.choice(("実行中", "停止")))


def _sysmon(routine: Routine, rng: Random, count: float) -> Iterator[Record]:
    stamp, parent = Stamp(routine.day), r"C:\Windows\System32\svchost.exe"
    image = r"C:\Windows\System32\wbem\WmiPrvSE.exe"
    command = rf"{image} -secured -Embedding"
    for at in rhythm(rng, routine.day, count, MACHINES):
        host = routine.city.hosts[rng.choice(_SERVERS)]
        user, time = r"NT AUTHORITY\NETWORK SERVICE", stamp.zulu(at)
        yield windows_events.sysmon_process(at, host, user, image, command, parent, _session(rng), time)


def _backup(routine: Routine, rng: Random) -> Iterator[Record]:
    """One server after the other through the night, always from the backup server."""
    account, source = routine.city.person("svc_backup"), routine.city.hosts["srv-backup01"]
    yield windows_events.logon(routine.day.at("00:55"), source, account, 5, source, _session(rng))
    for index, name in enumerate(("srv-app01", "srv-print01", "dc02", "dc01")):
        host, session = routine.city.hosts[name], _session(rng)
        at = routine.day.at("01:00") + index * 25 * MINUTE + int(rng.random() * MINUTE)
        yield windows_events.logon(at, host, account, 3, source, session)
        yield windows_events.privileges(at + 3, host, account, session)
        yield windows_events.logoff(at + 18 * MINUTE, host, account, 3, session)


def _robots(routine: Routine, rng: Random, scale: float) -> Iterator[Record]:
    """Robots run as scheduled tasks (type 4) on their own machines, never at a keyboard."""
    for number, hours in ((1, range(6, 21)), (2, (7, 12, 18)), (3, (22,))):
        account, host = routine.city.person(f"rpa0{number}"), routine.city.hosts[f"srv-rpa0{number}"]
        for hour in hours[: max(1, round(len(hours) * min(1, scale * 20)))]:
            at, session = routine.day.at(f"{hour:02d}:29:50"), _session(rng)
            yield windows_events.logon(at, host, account, 4, host, session)
            yield windows_events.logoff(at + 25 * MINUTE, host, account, 4, session)


def _administration(routine: Routine, rng: Random) -> Iterator[Record]:
    """adm.ito in office hours from the administration PC: sessions, scripts, one new colleague's account."""
    city, day = routine.city, routine.day
    admin, desk, controller = city.person("adm.ito"), city.hosts["adm-pc01"], city.hosts["dc01"]
    yield from _elevated(day.at("09:05:12"), desk, admin, 2, desk, rng)
    for clock, name in (("09:20:31", "dc01"), ("10:41:02", "srv-app01"), ("15:12:44", "srv-print01")):
        yield from _elevated(day.at(clock), city.hosts[name], admin, 3, desk, rng)
    for index, clock in enumerate(("09:22:10", "10:43:20", "15:14:05")):
        text = _SCRIPTS[index]
        yield windows_events.script_block(day.at(clock), desk, text, r"D:\ops\daily-check.ps1")
    yield from _new_colleague(day, controller, admin, city.staff[40], rng)


def _elevated(at: int, host: Host, admin: Person, kind: int, source: Host, rng: Random) -> Iterator[Record]:
    session = _session(rng)
    yield windows_events.logon(at, host, admin, kind, source, session)
    yield windows_events.privileges(at + 4, host, admin, session)
    yield windows_events.logoff(at + 9 * MINUTE, host, admin, kind, session)


def _new_colleague(
    day: Day, controller: Host, admin: Person, colleague: Person, rng: Random
) -> Iterator[Record]:
    session = _session(rng)
    at = day.at("10:20:08")
    yield windows_events.account_created(at, controller, admin, "h.shinjin", session)
    group = ("G-共有フォルダ-福祉課", f"{AD_SID}-1804")
    yield windows_events.member_added(at + 40 * SECOND, controller, admin, colleague, group, session)


def _slips(routine: Routine, rng: Random) -> Iterator[Record]:
    """A mistyped password at the own keyboard in the morning, then the right one (the day's logon)."""
    shifts = {shift.person.account: shift for shift in routine.shifts}
    for slip in routine.slips_at("windows"):
        shift = shifts[slip.person.account]
        for attempt in range(slip.count):
            at = shift.arrive - (slip.count - attempt) * 9 * SECOND - int(rng.random() * SECOND)
            yield windows_events.logon_failed(at, shift.pc, shift.person, 2, shift.pc)
