"""Reports that the clock makes: the whole tower's, and those of organisations that have their own."""

from datetime import UTC, datetime
from pathlib import Path

from hinomi.clock import FixedClock
from ops import schedule
from ops.roles.start import Role
from ops.rundir import RunDir
from ops.settings import Settings

MORNING = datetime(2026, 11, 20, 0, 0, tzinfo=UTC)


def test_the_digest_of_yesterday_is_made_for_each(tmp_path: Path) -> None:
    """One of the tower, one of the organisation that is named and none of the other; the records say whose each is, and the
    place of that organisation gets its own alone."""
    share = tmp_path / "share"
    settings = Settings.model_validate(
        {
            "organizations": {"higashi": {"name_ja": "東町"}, "nishi": {}},
            "reports": {
                "organizations": ["higashi"],
                "deliver": [{"folder": str(share), "organization": "higashi", "forms": ["html"]}],
            },
        }
    )
    role = Role("respond", tmp_path, settings, RunDir.of(tmp_path), clock=FixedClock(MORNING))
    events, records = role.events(), role.records()
    schedule.daily_digest(role, events, records)
    whole, own = "daily-digest-2026-11-19.ja", "daily-digest-2026-11-19.higashi.ja"
    assert {one.id: one.body["organization"] for one in records.find("report")} == {whole: "", own: "higashi"}
    assert all((tmp_path / "reports" / f"{stem}.pdf").exists() for stem in (whole, own))
    [parcel] = records.find("report_delivery")
    assert [Path(name).name for name in parcel.body["files"]] == [f"{own}.html"]
    events.close()
    records.close()
