"""Can the city's own definitions and the rules be used, and are they the approved ones?"""

from collections.abc import Iterator

from collectors import catalogue as sources
from collectors.enrich import Enricher
from hinomi.errors import ConfigError, HinomiError
from hinomi.words import Words
from ops import approval
from ops.doctor.finding import Check, Part, Patient
from ops.folders import cache_folder
from responders.playbooks.playbook import catalogue as playbooks
from rules import content, quarantine

_LEFT_OUT = Words("直すまで使いません。", "left out until it is mended")
_FEEDS = Words("前のファイルを使い続けます。feeds を確かめてください。", "the old file stays; check feeds")
_CHECK = Words("すべての理由は hinomi rules check で見られます。", "hinomi rules check shows every reason")
_VERIFY = Words("hinomi rules lock --verify", "hinomi rules lock --verify")


def own_files(patient: Patient) -> Iterator[Check]:
    """Can the city's own sources, playbooks and lists be read, and are its feeds fetched?"""
    part, settings = Part("市の定義と一覧", "own files"), patient.settings
    problems: list[HinomiError] = []
    lists: list[ConfigError] = []
    for folder in settings.sources.folders:
        sources.add(folder, problems)
    playbooks(*settings.respond.playbooks.folders, problems=problems)
    Enricher.of(settings.enrich, lists)
    for error in (*problems, *lists):
        at = f"{error.where}: " if error.where else ""
        yield part.bad(f"{at}{error.ja}", f"{at}{error.en}", _LEFT_OUT)
    for record in patient.records.find("feed"):
        if record.id in settings.feeds and record.body["ja"]:
            yield part.warn(f"{record.id}: {record.body['ja']}", f"{record.id}: {record.body['en']}", _FEEDS)


def rules(patient: Patient) -> Iterator[Check]:
    """Do the rules load, are they the approved ones, and was one set aside?"""
    part = Part("ルール", "rules")
    report = content.check(patient.settings.rules_in_force(patient.data), cache_folder(), each=False)
    ja = f"{report.loaded:,} 件、相関 {report.correlations}、平常値 {report.baselines}。"
    en = f"{report.loaded:,} rules, {report.correlations} correlations, {report.baselines} baselines"
    if report.problems:
        n, first = len(report.problems), report.problems[0]
        yield part.bad(f"{ja}使えないもの {n:,} 件: {first}", f"{en}; {n:,} cannot be used: {first}", _CHECK)
    else:
        yield part.good(ja, en)
    yield from approved(patient)
    yield from set_aside(patient)


def set_aside(patient: Patient) -> Iterator[Check]:
    """Are rules set aside because they flood or slow the engine?"""
    for one in quarantine.held(patient.records):
        remedy = f"hinomi rules release {one.rule}"
        yield Part("止めたルール", "rule set aside").bad(
            f"{one.title}: {one.said.ja}。", f"{one.title}: {one.said.en}", Words(remedy, remedy)
        )


def approved(patient: Patient) -> Iterator[Check]:
    """Is what runs what was approved? Nothing is said where nothing ever was."""
    part = Part("ルールの承認", "approval of rules")
    found = approval.unlike(patient.settings, patient.data, patient.records)
    if found is None:
        return
    if found:
        n, said = len(found), found[0]
        yield part.bad(f"承認と違うものが {n:,} 件: {said}", f"{n:,} are not as approved: {said}", _VERIFY)
    else:
        yield part.good("承認どおりです。", "as approved")
