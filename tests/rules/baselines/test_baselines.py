"""Baselines: what they find, what they keep quiet about, in whatever order it comes, and within what bounds."""

import json
from datetime import UTC, datetime, timedelta
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest

from hinomi.errors import ContentError
from hinomi.identity import digest
from rules import baselines
from rules.baselines.apart import Apart
from rules.baselines.baseline import Baseline, Finding
from rules.baselines.days import Days
from rules.baselines.recent import Recent
from rules.engine import Other
from rules.entry import Entry

DAY = timedelta(days=1)
FRIDAY = datetime(2026, 11, 20, 1, 0, tzinfo=UTC)  # 10:00 in Japan
TOKYO, BUCHAREST, OSAKA = "35.68,139.76", "44.43,26.10", "34.69,135.50"


def made(kind: str, **options: Any) -> Baseline:
    """A baseline over the rule `ok`."""
    document = {
        "title": "t",
        "id": "11111111-1111-4111-8111-111111111111",
        "level": "high",
        "baseline": {"type": kind, "rules": ["ok"], "entity": "user.name", **options},
    }
    own, wrong = baselines.of([Other(Path("own.yml"), document)], {"ok": "ok-id"})
    if wrong:
        raise wrong[0]
    return own[0]


def entry(at: datetime, name: str = "", **fields: str) -> Entry:
    """A signal of the rule; `__` in a field's name is a dot."""
    values = {"user.name": "t.yamada"} | {key.replace("__", "."): value for key, value in fields.items()}
    nanos = int(at.timestamp()) * 10**9
    return Entry.made(nanos, name or f"{nanos}{sorted(values.items())}", "ok-id", "test.set", values)


def at_place(at: datetime, place: str, **fields: str) -> Entry:
    """A sign-in from there."""
    return entry(at, source__geo__location=place, **fields)


def told(one: Baseline, *entries: Entry) -> dict[str, Finding]:
    """Findings by key when the entries come one by one."""
    newest, found = 0, {}
    for coming in entries:
        newest = max(newest, coming.time)
        found |= {finding.key: finding for finding in one.feed([coming], newest)}
    return found


def test_travel_faster_than_an_airliner() -> None:
    """Tokyo, then Bucharest 54 minutes later: the distance and the time are in the words."""
    abroad = at_place(FRIDAY + timedelta(minutes=54), BUCHAREST, source__geo__country_iso_code="RO")
    here = at_place(FRIDAY, TOKYO, source__geo__country_iso_code="JP")
    [found] = told(made("impossible_travel"), here, abroad).values()
    assert found.ja.startswith("日本でのサインインの54分後にルーマニア(約8,8") and "km" in found.ja
    assert 8870 < found.fields["distance_km"] < 8900
    assert found.entries == [here, abroad]


@pytest.mark.parametrize(
    ("second", "hours"),
    [
        (BUCHAREST, 10.1),
        (OSAKA, 0.01),
        (TOKYO, 0),
        ("", 1),
        ("north,east", 1),
        ("nan,nan", 1),
        (BUCHAREST, 13),
    ],
    ids=["by air", "too near", "same place", "no place", "no numbers", "nan", "another day"],
)
def test_travel_that_is_possible_or_unknown(second: str, hours: float) -> None:
    """Ten hours to Bucharest is a flight; Osaka is nearer than addresses can be placed; no place says nothing."""
    entries = at_place(FRIDAY, TOKYO), at_place(FRIDAY + timedelta(hours=hours), second)
    assert told(made("impossible_travel"), *entries) == {}


def test_travel_is_the_same_in_any_order_and_twice() -> None:
    """Three sign-ins in any order, some twice: one finding, with all three when the middle one came late."""
    entries = [
        at_place(FRIDAY, TOKYO),
        at_place(FRIDAY + timedelta(minutes=30), TOKYO),
        at_place(FRIDAY + timedelta(minutes=40), BUCHAREST),
    ]
    for order in permutations(entries):
        found = told(made("impossible_travel"), *order, *order)
        assert [finding.entries[-1] for finding in found.values()] == [entries[2]]
        assert entries[1] in next(iter(found.values())).entries


def test_a_phone_and_a_thief_are_one_finding() -> None:
    """Mail fetched in Tokyo every five minutes while someone works in Bucharest: one alert that grows."""
    places = [TOKYO, BUCHAREST] * 12
    entries = [at_place(FRIDAY + timedelta(minutes=5 * i), place) for i, place in enumerate(places)]
    [found] = told(made("impossible_travel"), *entries).values()
    assert len(found.entries) == 24


def test_addresses_that_say_nothing() -> None:
    """The city's own way out to the Internet, listed, is no place of a person."""
    one = made("impossible_travel", ignore_addresses=["198.51.100.0/24"])
    entries = [
        at_place(FRIDAY, TOKYO, source__ip="192.0.2.1"),
        at_place(FRIDAY + timedelta(hours=1), BUCHAREST, source__ip="198.51.100.7"),
    ]
    assert told(one, *entries) == {}
    assert len(told(made("impossible_travel"), *entries)) == 1


def test_mobile_carriers_say_nothing_of_places() -> None:
    """An address of a carrier comes out far from the telephone; the same journey by another network is told."""
    own = {"source__as__organization__name": "NTT DOCOMO BUSINESS, Inc."}
    entries = [at_place(FRIDAY, TOKYO), at_place(FRIDAY + timedelta(hours=1), BUCHAREST, **own)]
    assert told(made("impossible_travel", carriers=["docomo"]), *entries) == {}
    assert len(told(made("impossible_travel", carriers=["kddi"]), *entries)) == 1


def test_first_seen_learns_before_it_speaks() -> None:
    """A new country after fourteen days of records is said once; within them it is learnt."""
    country = "source__geo__country_iso_code"
    one = made("first_seen")
    assert told(one, entry(FRIDAY, **{country: "JP"}), entry(FRIDAY + 13 * DAY, **{country: "US"})) == {}
    again = [entry(FRIDAY + n * DAY, **{country: "RO"}) for n in (14, 15)]
    [found] = told(one, *again).values()
    assert found.ja == "14日間の記録で初めての国・地域「ルーマニア」"
    assert told(one, entry(FRIDAY + 16 * DAY, **{country: "US"})) == {}
    assert told(one, entry(FRIDAY + 16 * DAY, user__name="k.ito", **{country: "RO"})) == {}


def test_first_seen_gives_up_with_a_count(monkeypatch: pytest.MonkeyPatch) -> None:
    """A value that changes every time is no habit: beyond the bound it is counted, not kept."""
    monkeypatch.setattr("rules.baselines.first_seen._MOST_VALUES", 3)
    one = made("first_seen", field="source.ip")
    told(one, *(entry(FRIDAY + n * DAY, source__ip=f"192.0.2.{n}") for n in range(5)))
    assert one.take_forgotten() == 2 and one.take_forgotten() == 0


@pytest.mark.parametrize(
    ("local", "off"),
    [
        ("2026-11-20T06:59+09:00", True),
        ("2026-11-20T07:00+09:00", False),
        ("2026-11-20T19:59+09:00", False),
        ("2026-11-20T20:00+09:00", True),
        ("2026-11-21T10:00+09:00", True),  # Saturday
        ("2026-11-23T10:00+09:00", True),  # 勤労感謝の日, a Monday
        ("2026-11-24T10:00+09:00", False),
        ("2026-12-29T10:00+09:00", True),
        ("2027-01-03T10:00+09:00", True),
        ("2027-01-04T10:00+09:00", False),
    ],
)
def test_hours_of_a_japanese_office(local: str, off: bool) -> None:
    """Both edges of the day, weekends, a holiday, and the New Year closing."""
    assert bool(told(made("off_hours"), entry(datetime.fromisoformat(local)))) is off


def test_one_night_is_one_finding() -> None:
    """From the third event on, over midnight, in any order; the next night is another."""
    night = datetime.fromisoformat("2026-11-19T23:30+09:00")
    entries = [entry(night + timedelta(minutes=20 * i), str(i)) for i in range(4)]
    for order in (entries, entries[::-1]):
        [found] = told(made("off_hours", at_least=3), *order, *order).values()
        assert found.ja == "執務時間外(11/19 23:30〜00:30)に4件"
    later = [entry(night + DAY + timedelta(minutes=i), f"next{i}") for i in range(3)]
    assert len(told(made("off_hours", at_least=3), *entries, *later)) == 2


def test_a_date_in_the_future_forgets_no_night() -> None:
    """What is kept goes by how far time has come, which the correlator bounds, not by an event's own date."""
    night = datetime.fromisoformat("2026-11-19T23:30+09:00")
    one = made("off_hours", at_least=3)
    now = int(night.timestamp()) * 10**9
    dated = [night, night + timedelta(minutes=1), night + 9000 * DAY, night + timedelta(minutes=2)]
    found = [finding for i, at in enumerate(dated) for finding in one.feed([entry(at, str(i))], now)]
    assert [len(finding.entries) for finding in found] == [3]


@pytest.mark.parametrize("kind", ["impossible_travel", "first_seen", "off_hours"])
def test_a_restart_changes_nothing(kind: str) -> None:
    """Half before the restart, half after it: the findings of an unbroken run; the state is JSON."""
    night = datetime.fromisoformat("2026-11-01T23:30+09:00")
    places = [(TOKYO, "JP"), (BUCHAREST, "RO")]
    options = {"warm_up_days": 5} if kind == "first_seen" else {}
    entries = [
        at_place(night + n * DAY / 8, places[n > 60][0], source__geo__country_iso_code=places[n > 60][1])
        for n in range(80)
    ]
    whole = told(made(kind, **options), *entries)
    first, second = made(kind, **options), made(kind, **options)
    before = told(first, *entries[:61])
    second.load(json.loads(json.dumps(first.dump())))
    assert {**before, **told(second, *entries[61:])} == whole
    assert whole


@pytest.mark.parametrize("kind", ["rate_spike", "bulk_by_role"])
def test_an_old_date_stops_nothing(kind: str) -> None:
    """Sixty days are kept; a line dated before all of them (an old log read again, a clock that is wrong) had raised, and with
    it stopped every alert of the tower."""
    days = [entry(FRIDAY + n * DAY, f"d{n}") for n in range(70)]
    assert told(made(kind), *days, entry(FRIDAY - 90 * DAY, "old"), entry(FRIDAY + 70 * DAY, "new")) == {}


def many(at: datetime, n: int, name: str = "", **fields: str) -> list[Entry]:
    """That many events of one day, a minute apart."""
    return [entry(at + timedelta(minutes=i), f"{name or 'x'}{at:%d%m}{i}", **fields) for i in range(n)]


def workdays(n: int, each: int, who: str = "t.yamada", **fields: str) -> list[Entry]:
    """So many weekdays before FRIDAY's week with that many events."""
    days = [FRIDAY - (5 + day) * DAY for day in range(3 * n) if (FRIDAY - (5 + day) * DAY).weekday() < 5][:n]
    return [one for day in days[::-1] for one in many(day, each, who, user__name=who, **fields)]


SATURDAY = FRIDAY + DAY


@pytest.mark.parametrize(
    ("kind", "options", "before", "now", "said"),
    [
        ("rate_spike", {}, workdays(15, 8), many(SATURDAY, 40), "開庁日 14 日間の中央値は 8件"),
        ("rate_spike", {}, [], many(FRIDAY, 201), "目安の 200件"),
        (
            "rate_spike",
            {},
            [one for n in range(6) for one in workdays(12, 8, f"u{n}")],
            many(FRIDAY, 40, user__name="new"),
            "全体(6)の開庁日の95%は 8件以下",
        ),
        ("bulk_by_role", {}, workdays(15, 8), many(SATURDAY, 60), "「?」の開庁日の中央値は 8件"),
        (
            "bulk_by_role",
            {},
            [one for n in range(10) for one in workdays(12, 8, f"u{n}", user__staff__department="企画課")],
            many(FRIDAY, 60, user__name="new", user__staff__department="新しい課"),
            "すべての所属の開庁日の95%は 8件以下",
        ),
        ("bulk_by_role", {}, [], many(FRIDAY, 501), "目安の 500件"),
    ],
    ids=["day off", "nothing known", "new account", "role's day off", "new role", "no role known"],
)
def test_a_spike_where_little_is_known(
    kind: str, options: dict[str, Any], before: list[Entry], now: list[Entry], said: str
) -> None:
    """A Saturday, a new account, a new section, a new tower: found, with what it was compared with; a usual day is not."""
    one = made(kind, **options)
    assert told(one, *before) == {}
    quiet = told(one, *now[:30])
    [found] = told(one, *now[30:]).values()
    assert quiet == {} or kind == "rate_spike"
    assert said in found.ja and found.n == len(now)


@pytest.mark.parametrize("kind", ["rate_spike", "bulk_by_role"])
def test_late_lines_belong_to_their_day(kind: str) -> None:
    """Yesterday's lines of a collector that was cut off come after today's: they are yesterday's spike, with yesterday's
    events; and a clock that runs two years ahead hides nothing of what follows."""
    one, wednesday = made(kind), FRIDAY - 2 * DAY
    told(one, *workdays(15, 3))
    ahead = [entry(FRIDAY, "now"), entry(FRIDAY + 700 * DAY, "ahead")]
    for coming in ahead:
        one.feed([coming], ahead[0].time)
    found: dict[str, Finding] = {}
    for coming in many(wednesday, 70):
        found |= {finding.key: finding for finding in one.feed([coming], ahead[0].time)}
    [(key, finding)] = found.items()
    assert key == f"t.yamada|{wednesday:%Y-%m-%d}" and finding.n == 70
    assert finding.span() == (finding.entries[0].time, finding.entries[-1].time)


def test_work_that_changed_is_told_once_and_again_where_it_grows() -> None:
    """A person moved to a busy section: what was told is no news on the next days, before and after a restart; far more
    than that is, and so is the first day off. By then the level of the latest days is usual."""
    one, again = made("rate_spike"), made("rate_spike")
    told(one, *workdays(15, 3))
    assert sorted(told(one, *many(FRIDAY, 60))) == ["t.yamada|2026-11-20"]
    again.load(json.loads(json.dumps(one.dump())))
    days = [FRIDAY + n * DAY for n in (3, 4, 5, 6)]  # the first is a holiday
    found = told(again, *(e for n, day in enumerate(days) for e in many(day, 200 if n == 2 else 70)))
    assert sorted(found) == ["t.yamada|2026-11-23", "t.yamada|2026-11-25"]
    assert told(again, *many(FRIDAY + 7 * DAY, 100)) == {}


def test_a_loud_working_day_hides_no_day_off() -> None:
    """What was told on Friday is no news on the next working day, also where a loud Saturday was told in between; the Saturday is, though
    it is less, and its Sunday is not. A state of a release that kept one day is read."""
    one = made("rate_spike")
    told(one, *workdays(15, 3))
    found = [
        sorted(told(one, *many(FRIDAY + n * DAY, much)))
        for n, much in ((0, 400), (1, 200), (2, 190), (4, 300))
    ]
    assert found == [["t.yamada|2026-11-20"], ["t.yamada|2026-11-21"], [], []]
    assert Days.of_json({"sums": {"2026-11-20": 9.0}, "told": "2026-11-20"}).told == ["2026-11-20"]
    assert Days.of_json({"2026-11-20": 9.0}).told == []


def test_a_new_account_of_a_nightly_batch_is_told_once() -> None:
    """Nothing is known of it, and it takes much from its first night on."""
    one = made("rate_spike")
    told(one, *(e for n in range(6) for e in workdays(12, 8, f"u{n}")))
    nights = [FRIDAY + n * DAY for n in range(-4, 6)]
    found = told(
        one, *(e for n, day in enumerate(nights) for e in many(day, 300 + n % 3, user__name="batch"))
    )
    assert sorted(found) == ["batch|2026-11-16"]


@pytest.mark.parametrize(
    ("kind", "varied", "options"),
    [
        ("rate_spike", "user.name", {}),
        ("bulk_by_role", "user.name", {}),
        ("bulk_by_role", "user.staff.department", {}),
        ("off_hours", "user.name", {}),
        ("first_seen", "user.name", {}),
        ("first_seen", "field", {"field": "field"}),
        ("rare_value", "process.name", {"field": "process.name"}),
        ("beaconing", "destination.ip", {}),
        ("dns_names", "dns.question.name", {}),
        ("impossible_travel", "user.name", {}),
    ],
)
def test_whoever_varies_names_fills_no_memory(kind: str, varied: str, options: dict[str, Any]) -> None:
    """Each name another, each long, at night, with long fields beside: the state stays within its bytes, what goes is counted
    (but for events that are only evidence), and it is the same after a restart or a reload."""
    one = made(kind, memory_mb=1, **options)
    night = datetime.fromisoformat("2026-11-19T23:30+09:00")
    base = {"user.name": "t.yamada", "source.geo.location": TOKYO, "source.geo.country_iso_code": "JP"}
    base |= {"note": "x" * 900, "destination.ip": "192.0.2.1"}
    for n in range(4_000):
        mixed = digest(str(n)) + "y" * 500 * (varied != "dns.question.name")
        values = base | {varied: f"{mixed}.d{n}.net" if kind == "dns_names" else mixed}
        one.feed([Entry.made(int(night.timestamp()) * 10**9 + n, f"e{n}", "ok-id", "d", values)], 1)
    state = json.dumps(one.dump())
    assert len(state) < 2_500_000 and one.take_forgotten() > 0
    for held in (json.loads(state), one.dump()):  # after a restart, and as a reload hands it over
        again = made(kind, memory_mb=1, **options)
        again.load(held)
        assert json.dumps(again.dump()) == state


def test_every_event_counts_beyond_the_evidence() -> None:
    """A night of 2,300 events: all are counted, the first two hundred named, from the first to the last."""
    night = datetime.fromisoformat("2026-11-19T22:00+09:00")
    entries = [entry(night + timedelta(seconds=i), f"e{i}") for i in range(2_300)]
    one = made("off_hours")
    [found] = [finding for coming in entries for finding in one.feed([coming], coming.time)][-1:]
    assert (found.n, len(found.entries), found.span()) == (2_300, 200, (entries[0].time, entries[-1].time))
    assert "2,300件" in found.ja and one.take_forgotten() == 0


def test_what_is_seen_over_time_lists_its_events() -> None:
    """Even contacts and random names: each event that made them, not the last alone, also over a restart."""
    beats = [
        entry(FRIDAY + timedelta(minutes=5 * i), f"b{i}", destination__ip="203.0.113.9") for i in range(20)
    ]
    names = [
        entry(
            FRIDAY + timedelta(minutes=i),
            f"n{i}",
            dns__question__name=f"{i * 7919**9:x}{i * 104729**7:x}.t.example.net",
        )
        for i in range(70)
    ]
    for kind, entries in (("beaconing", beats), ("dns_names", names)):
        first, second = made(kind), made(kind)
        told(first, *entries[:10])
        second.load(json.loads(json.dumps(first.dump())))
        [found] = told(second, *entries[10:]).values()
        held = {one.event for one in found.entries}
        assert len(held) > len(entries) - 4 and held <= {one.event for one in entries}
        assert {one.dataset for one in found.entries} == {"test.set"}


def test_recent_is_bounded_and_forgets_what_is_over() -> None:
    """The key that was quiet longest goes first, counted; what is over goes without a count."""
    kept: Recent[list[int]] = Recent(list, len, most=2)
    for mark, key in enumerate(["a", "b", "a", "c"]):
        kept.of(key, mark).append(mark)
    assert (list(kept.kept), kept.take_lost()) == (["a", "c"], 1)
    kept.forget(3)
    assert (list(kept.kept), kept.take_lost()) == (["c"], 0)


@pytest.mark.parametrize(
    ("kind", "options", "key"),
    [
        ("impossible_travel", {"max_kmh": "fast"}, "baseline.max_kmh"),
        ("impossible_travel", {"ignore_addresses": ["here"]}, "baseline.ignore_addresses"),
        ("impossible_travel", {"ignore_addresses": "198.51.100.0/24"}, "baseline.ignore_addresses"),
        ("off_hours", {"start": "dawn"}, "baseline.start"),
        ("dns_names", {"looks_for": "love"}, "baseline.looks_for"),
        ("rate_spike", {"spreads": "many"}, "baseline.spreads"),
        ("off_hours", {"at_least": True}, "baseline.at_least"),
        ("nothing", {}, "baseline.type"),
    ],
)
def test_a_bad_option_is_said_with_its_key(kind: str, options: dict[str, Any], key: str) -> None:
    """File and key, in Japanese and English."""
    with pytest.raises(ContentError) as caught:
        made(kind, **options)
    assert "own.yml" in str(caught.value) and key in str(caught.value)


def test_each_organisation_has_what_is_usual_there() -> None:
    """A country that one town knows of its t.yamada is new in the other, each finding says whose it is, nothing of one town
    stands in the other's evidence; the state lasts, also one that was written before there were any."""
    before = made("first_seen", field="source.geo.country_iso_code", warm_up_days=1)
    for country in ("JP", "RO"):
        before.feed([entry(FRIDAY, source__geo__country_iso_code=country)], 1)
    one, again = Apart(made("first_seen", warm_up_days=1)), Apart(made("first_seen", warm_up_days=1))
    one.load(json.loads(json.dumps(before.dump())))

    def seen(day: int, country: str, whose: str) -> Entry:
        return entry(FRIDAY + day * DAY, source__geo__country_iso_code=country, hinomi__organization=whose)

    own = [seen(0, "JP", "a"), seen(0, "JP", "b"), seen(1, "RO", "b")]
    assert [f.key for f in told(one, *own).values()] == ["t.yamada|RO"]
    again.load(json.loads(json.dumps(one.dump())))
    assert again.meaning == one.meaning != Apart(made("off_hours")).meaning
    [found] = told(again, seen(2, "RO", "b"), seen(2, "RO", "a"), entry(FRIDAY + 2 * DAY, "x")).values()
    assert (found.key, found.fields["hinomi.organization"]) == ("t.yamada|RO", "a")
    assert {one.value("hinomi.organization") for one in found.entries} == {"a"}
