"""火の見市 (Hinomi-shi): its networks, machines and about 900 invented staff, the same every day."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from ipaddress import IPv4Address
from random import Random

from ops.demo.names import FAMILY, GIVEN, Name

DOMAIN = "city.hinomi.example.jp"
AD_DOMAIN = "HINOMI"
AD_SID = "S-1-5-21-3187204467-1642958817-2950164738"
TENANT = "5d0f9a3c-7c41-4e0b-9d53-1f0e6c2ab7d4"

ZONES: dict[str, tuple[str, ...]] = {
    "mynumber": ("10.10.0.0/16",),
    "lgwan": ("10.20.0.0/16",),
    "internet": ("10.30.0.0/16",),
    "dmz": ("10.40.0.0/24",),
    "telework": ("10.50.0.0/20",),
    "cloud": ("10.60.0.0/16",),
}

# One place for every Japanese network, so that a person's telephone and office are no journey apart.
# 198.18.0.0/15 is set aside for benchmarks (RFC 2544): web sites and residents of a fictitious world.
TOKYO, BUCHAREST, SEATTLE = (35.68, 139.76), (44.43, 26.10), (47.61, -122.33)
GEO: tuple[tuple[str, str, tuple[float, float]], ...] = (
    ("192.0.2.0/24", "JP", TOKYO),
    ("198.51.100.0/24", "JP", TOKYO),
    ("198.18.0.0/16", "JP", TOKYO),
    ("198.19.0.0/16", "US", SEATTLE),
    ("203.0.113.0/24", "RO", BUCHAREST),
)

OFFICE_EGRESS = "198.51.100.10"
PORTAL_ADDRESS = "198.51.100.20"

DEPARTMENTS: dict[str, tuple[str, int]] = {
    "市民課": ("shimin", 72),
    "税務課": ("zeimu", 62),
    "福祉課": ("fukushi", 78),
    "子育て支援課": ("kosodate", 52),
    "健康推進課": ("kenko", 40),
    "介護保険課": ("kaigo", 30),
    "国保年金課": ("kokuho", 32),
    "総務課": ("somu", 40),
    "人事課": ("jinji", 20),
    "財政課": ("zaisei", 22),
    "契約管財課": ("keiyaku", 24),
    "情報政策課": ("joho", 20),
    "企画政策課": ("kikaku", 26),
    "広報課": ("koho", 14),
    "危機管理課": ("kiki", 18),
    "建設課": ("kensetsu", 46),
    "都市計画課": ("toshi", 36),
    "下水道課": ("gesui", 30),
    "水道局": ("suido", 42),
    "環境課": ("kankyo", 40),
    "農林課": ("norin", 24),
    "商工観光課": ("shoko", 24),
    "教育総務課": ("kyoiku", 38),
    "学校教育課": ("gakko", 34),
    "図書館": ("tosho", 24),
    "議会事務局": ("gikai", 12),
    "会計課": ("kaikei", 12),
}
RESIDENT_DEPARTMENTS = ("市民課", "税務課", "福祉課", "国保年金課", "子育て支援課")
LGWAN_DEPARTMENTS = ("総務課", "人事課", "財政課", "契約管財課", "企画政策課", "会計課")


@dataclass(frozen=True, slots=True)
class Host:
    """A machine. criticality: 1 (spare) to 5 (the city stops); protected: never isolate automatically."""

    name: str
    ip: str
    zone: str
    department: str
    role: str
    criticality: int
    protected: bool = False


@dataclass(frozen=True, slots=True)
class Person:
    """An account and who it belongs to. number: the relative identifier in the directory (RID)."""

    account: str
    full_name: str
    kana: str
    romaji: str
    department: str
    employment: str
    telework: bool
    zones: tuple[str, ...]
    number: int
    pc: str = ""

    @property
    def mail(self) -> str:
        """Mail address and cloud sign-in name."""
        return f"{self.account}@{DOMAIN}"

    @property
    def sid(self) -> str:
        """Security identifier in the directory."""
        return f"{AD_SID}-{self.number}"

    @property
    def object_id(self) -> str:
        """The cloud directory's identifier."""
        return f"8c1e{self.number:04x}-5b7a-4f0e-9a61-{0x6D2F00000000 + self.number:012x}"


@dataclass(frozen=True, slots=True)
class City:
    """Staff in order of their directory number, machines by name."""

    staff: tuple[Person, ...]
    hosts: dict[str, Host]
    accounts: dict[str, Person] = field(default_factory=dict)

    def person(self, account: str) -> Person:
        """The owner of an account."""
        return self.accounts[account]

    def office_staff(self) -> Iterator[Person]:
        """People with a desk and a PC."""
        return (person for person in self.staff if person.pc)


@cache
def hinomi() -> City:
    """The city."""
    staff = (*_people(), *_accounts())
    hosts = {host.name: host for host in (*_servers(), *_terminals(staff))}
    return City(staff, hosts, {person.account: person for person in staff})


def _people() -> Iterator[Person]:
    """t.yamada first; everyone gets a PC in the order of the directory."""
    rng = Random("hinomi-shi")
    taken: dict[str, int] = {}
    posts = [department for department, (_, size) in DEPARTMENTS.items() for _ in range(size)]
    rng.shuffle(posts)
    for index, department in enumerate(["市民課", *posts], start=1):
        first = index == 1
        family, given = (FAMILY[0], GIVEN[0]) if first else (rng.choice(FAMILY), rng.choice(GIVEN))
        base = f"{given.romaji[0]}.{family.romaji}"
        taken[base] = taken.get(base, 0) + 1
        account = base if taken[base] == 1 else f"{base}{taken[base]}"
        telework = first or (department not in RESIDENT_DEPARTMENTS and rng.random() < 0.45)
        yield _person(account, family, given, department, telework, index, rng)


def _person(
    account: str, family: Name, given: Name, department: str, telework: bool, index: int, rng: Random
) -> Person:
    zones = ["internet"]
    if department in RESIDENT_DEPARTMENTS:
        zones.append("mynumber")
    if department in LGWAN_DEPARTMENTS:
        zones.append("lgwan")
    employment = rng.choices(("正規", "会計年度任用", "再任用"), (70, 24, 6))[0]
    return Person(
        account=account,
        full_name=f"{family.kanji} {given.kanji}",
        kana=f"{family.kana} {given.kana}",
        romaji=f"{family.romaji.title()} {given.romaji.title()}",
        department=department,
        employment="正規" if index == 1 else employment,
        telework=telework,
        zones=tuple(zones),
        number=1100 + index,
        pc=f"pc-{index:04d}",
    )


def _accounts() -> Iterator[Person]:
    """Privileged, robot, service and contractor accounts."""
    every = ("internet", "lgwan", "mynumber")
    table = (
        ("adm.sato", "佐藤(特権)", "サトウ", "Sato (admin)", "情報政策課", "特権", every),
        ("adm.ito", "伊藤(特権)", "イトウ", "Ito (admin)", "情報政策課", "特権", every),
        ("rpa01", "RPAロボット01", "アールピーエー01", "RPA robot 01", "税務課", "ロボット", ("mynumber",)),
        ("rpa02", "RPAロボット02", "アールピーエー02", "RPA robot 02", "市民課", "ロボット", ("mynumber",)),
        ("rpa03", "RPAロボット03", "アールピーエー03", "RPA robot 03", "福祉課", "ロボット", ("mynumber",)),
        ("svc_backup", "バックアップ", "バックアップ", "Backup", "情報政策課", "サービス", every),
        ("mnt.vendor01", "保守委託01", "ホシュイタク01", "Vendor 01", "情報政策課", "委託", ("internet",)),
        ("mnt.vendor02", "保守委託02", "ホシュイタク02", "Vendor 02", "情報政策課", "委託", ("internet",)),
    )
    for number, (account, name, kana, romaji, department, employment, zones) in enumerate(table, start=2101):
        yield Person(account, name, kana, romaji, department, employment, False, zones, number)


def _servers() -> Iterator[Host]:
    """Servers and network devices, all kept by 情報政策課 unless a department owns the service."""
    joho = "情報政策課"
    table: tuple[tuple[str, str, str, str, str, int, bool], ...] = (
        ("dc01", "10.30.1.5", "internet", joho, "dc", 5, True),
        ("dc02", "10.30.1.6", "internet", joho, "dc", 5, True),
        ("ns01", "10.30.1.7", "internet", joho, "server", 4, True),
        ("proxy01", "10.30.1.20", "internet", joho, "server", 4, True),
        ("mx01", "10.30.1.25", "internet", joho, "server", 4, True),
        ("bastion01", "10.30.1.30", "internet", joho, "server", 4, False),
        ("srv-app01", "10.30.1.35", "internet", joho, "server", 3, False),
        ("srv-print01", "10.30.1.36", "internet", joho, "server", 2, False),
        ("srv-gw01", "10.30.1.40", "internet", joho, "server", 4, True),
        ("srv-backup01", "10.30.1.45", "internet", joho, "server", 4, False),
        ("adm-pc01", "10.30.1.50", "internet", joho, "terminal", 4, False),
        ("web01", "10.40.0.10", "dmz", joho, "server", 4, False),
        ("srv-bunsho01", "10.20.1.10", "lgwan", "総務課", "server", 4, True),
        ("srv-file01", "10.20.1.20", "lgwan", "総務課", "server", 4, False),
        ("srv-lgw01", "10.20.1.40", "lgwan", joho, "server", 4, True),
        ("srv-juki01", "10.10.1.10", "mynumber", "市民課", "resident-service", 5, True),
        ("srv-rpa01", "10.10.1.31", "mynumber", "税務課", "server", 3, False),
        ("srv-rpa02", "10.10.1.32", "mynumber", "市民課", "server", 3, False),
        ("srv-rpa03", "10.10.1.33", "mynumber", "福祉課", "server", 3, False),
        ("fw-edge01", "10.30.0.1", "internet", joho, "network", 5, True),
        ("fw-seg01", "10.30.0.2", "internet", joho, "network", 5, True),
    )
    return (Host(*row) for row in table)


def _terminals(staff: tuple[Person, ...]) -> Iterator[Host]:
    base = int(IPv4Address("10.30.8.10"))
    for person in staff:
        if person.pc:
            ip = IPv4Address(base + int(person.pc[3:]))
            yield Host(person.pc, str(ip), "internet", person.department, "terminal", 2)
    for index in range(1, 121):
        department = RESIDENT_DEPARTMENTS[index % len(RESIDENT_DEPARTMENTS)]
        yield Host(f"jt-{index:03d}", f"10.10.20.{index + 10}", "mynumber", department, "terminal", 4)
    for index in range(1, 61):
        department = LGWAN_DEPARTMENTS[index % len(LGWAN_DEPARTMENTS)]
        yield Host(f"lg-{index:03d}", f"10.20.8.{index + 10}", "lgwan", department, "terminal", 3)
