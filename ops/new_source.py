"""A new source from a sample: the proposed file, what it reads of the sample, and the tests beside a mapping."""

import re
import tempfile
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl

from collectors import declared, proposal, sample
from collectors.declaration import SOURCE_NAME
from collectors.parse import documents
from collectors.source import Source
from hinomi import ecs, yamlfile
from hinomi.errors import ContentError, InputError, Where


@dataclass(frozen=True, slots=True)
class Draft:
    """A proposed mapping: its file's text, the source that it makes, and the sample it came from."""

    name: str
    text: str
    source: Source
    sample: sample.Sample

    def write(self, folder: Path) -> Path:
        """The file `<name>.source.yml` in the folder. Raises InputError where it is there already."""
        path = folder / f"{self.name.replace('.', '_', 1)}.source.yml"
        if path.exists():
            raise InputError("すでにあります。上書きしません。", "exists already; not overwritten", where=Where(path))  # fmt: skip
        folder.mkdir(parents=True, exist_ok=True)
        path.write_text(self.text, encoding="utf-8")
        return path


def drafted(path: Path, name: str, title_ja: str, title_en: str) -> Draft:
    """A mapping for a sample file. Raises InputError for a bad name or a file without a form."""
    if not re.fullmatch(SOURCE_NAME, name):
        raise InputError(
            f"「{name}」は「作り手.製品」の形ではありません。小文字の英数字と _ で、点を一つ入れてください(例: city.library)。",
            f'"{name}" is not of the form maker.product: small letters, digits and _, with one dot (such as city.library)',
            where=Where(key="--name"),
        )
    given = sample.read(path)
    text = proposal.as_yaml(name, given, proposal.propose(given), title_ja=title_ja, title_en=title_en)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "proposed.source.yml"
        file.write_text(text, encoding="utf-8")
        return Draft(name, text, declared.load(file), given)


def parsed(draft: Draft, show: int) -> tuple[int, dict[str, int], list[dict[str, Any]]]:
    """(how many lines were understood, why others were not, the first `show` events) of the sample."""
    result = draft.source.parse(_intake(draft.sample.lines))
    understood = sum(frame.height for frame in result.frames)
    reasons = Counter(result.rejected["reason"].to_list())
    shown = [one for one in documents(draft.source, draft.sample.lines[: show * 2]) if one][:show]
    return understood, dict(reasons.most_common()), shown


def tested(path: Path) -> tuple[int, list[str]]:
    """(passed, what was wrong) of the cases beside a mapping. Raises ContentError for flaws of the mapping itself."""
    source = declared.load(path)
    beside = path.with_name(path.name.replace(".source.yml", ".test.yml"))
    if not beside.exists():
        return 0, []
    wrong, passed = [], 0
    for number, case in enumerate(yamlfile.read(beside).value or []):
        if not isinstance(case, dict) or "raw" not in case:
            raise ContentError("raw がありません。", "a case needs raw", where=Where(beside, key=str(number)))
        said = _verdict(source, case)
        passed += said is None
        wrong += [] if said is None else [f"{case.get('name', number)}: {said}"]
    return passed, wrong


def _verdict(source: Source, case: dict[str, Any]) -> str | None:
    result = source.parse(_intake([str(case["raw"])]))
    if "rejected" in case:
        reasons = [reason.split(":")[0] for reason in result.rejected["reason"].to_list()]
        return None if reasons == [case["rejected"]] else f"rejected: {reasons or '—'}"
    if result.rejected.height:
        return str(result.rejected["reason"][0])
    got = next(ecs.rows(result.frames[0]))
    for name, want in (case.get("ecs") or {}).items():
        if not _same(want, got.get(name)):
            return f"{name}: {got.get(name)!r} (expected {want!r})"
    return None


def _same(want: Any, got: Any) -> bool:
    if isinstance(got, datetime) and want is not None:
        return got == (want if isinstance(want, datetime) else datetime.fromisoformat(str(want)))
    return bool(got == want) or (want is not None and str(got) == str(want))


def _intake(lines: list[str]) -> pl.DataFrame:
    now = pl.lit(datetime.now(UTC)).cast(ecs.TIME).alias("received")
    return pl.DataFrame({"message": lines}, schema={"message": pl.String}).with_columns(
        now, pl.lit("").alias("peer")
    )
