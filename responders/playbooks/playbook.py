"""What a playbook is: who it is for, its steps, who approves, how each step is undone, what it serves."""

from importlib.resources import files
from pathlib import Path
from typing import Literal, Self

from pydantic import Field, model_validator

from hinomi import yamlfile
from hinomi.config import Section, validate
from hinomi.errors import ContentError, HinomiError
from responders.connectors.catalogue import ACTIONS

Approver = Literal[
    "information_system_manager", "information_security_manager", "chief_information_security_manager", "ciso"
]


class Step(Section):
    """One step: exactly one of `task_ja` (a person does it), `act` (a connector does it).

    value: which entity of the incident `act` is for (an ECS field); verify, undo: whether it is checked and can be
    undone; an_hour: most acts of this kind in an hour, over all runs.
    """

    task_ja: str = ""
    task_en: str = ""
    act: str = ""
    value: str = ""
    verify: bool = True
    undo: bool = True
    an_hour: int = Field(default=5, ge=1)
    retries: int = Field(default=3, ge=0, le=10)

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        if bool(self.task_ja) == bool(self.act):
            raise ValueError(
                "task_ja か act のどちらか一つを書いてください。|give exactly one of task_ja and act"
            )
        if self.act and self.act not in ACTIONS:
            raise ValueError(f"操作は {', '.join(ACTIONS)} のどれかです。|act is one of {', '.join(ACTIONS)}")
        if self.act and not self.value:
            raise ValueError("act には value(対象の項目)が必要です。|act needs value, the field it is for")
        return self


class Playbook(Section):
    """A whole playbook; `name` is the file's name."""

    playbook: str
    title_ja: str
    title_en: str
    serves: list[str]
    approver: Approver
    approve_within_minutes: int = Field(default=30, ge=1)
    impact_ja: str
    impact_en: str
    steps: list[Step] = Field(min_length=1)

    @property
    def acts(self) -> list[Step]:
        """Steps that change something."""
        return [step for step in self.steps if step.act]


def load(path: Path) -> Playbook:
    """A playbook from its file. Raises ContentError (or several) naming file, line and key."""
    document = yamlfile.read(path)
    places = {key: document.places.where(key) for key in document.places.lines}
    playbook = validate(document.value, Playbook, places, default=path)
    if playbook.playbook != path.stem:
        raise ContentError(
            f"playbook は「{path.stem}」(ファイル名)にしてください。",
            f'playbook must be "{path.stem}", the file name',
            where=document.places.where("playbook"),
        )
    return playbook


def catalogue(*folders: Path) -> dict[str, Playbook]:
    """Every playbook of our own folder and of these. Raises on the first that cannot be read."""
    own = Path(str(files("responders"))) / "playbooks"
    found = [load(path) for folder in (own, *folders) for path in sorted(folder.glob("*.yml"))]
    return {playbook.playbook: playbook for playbook in found}


def lint(folder: Path) -> list[HinomiError]:
    """What is wrong with the playbooks of a folder."""
    problems: list[HinomiError] = []
    for path in sorted(folder.glob("*.yml")):
        try:
            load(path)
        except HinomiError as error:
            problems.append(error)
    return problems
