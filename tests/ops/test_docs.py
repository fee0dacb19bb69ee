"""Pages that are made from the program are as the program is; both READMEs say the same."""

import re
from pathlib import Path

from ops.doctor.calling import calling
from ops.doctor.finding import Patient, State
from ops.generate import commands, configuration, sources
from ops.roles.start import Role
from ops.rundir import RunDir
from ops.settings import read_settings
from responders.connectors.catalogue import of_action
from responders.playbooks.playbook import catalogue, load

ROOT = Path(__file__).parents[2]


def test_configuration_page_is_current() -> None:
    """docs/configuration.md is what the models give (run `python -m ops.generate.configuration`)."""
    assert configuration.PAGE.read_text(encoding="utf-8") == configuration.page()


def test_types_of_the_configuration_are_whole() -> None:
    """No type has lost its first half or shows how pydantic checks it."""
    rows = [line.split(" | ") for line in configuration.page().splitlines() if line.startswith("| `")]
    types = [row[1] for row in rows if "…" not in row[1]]
    assert len(types) > 400 and all(one.count("[") == one.count("]") for one in types)
    assert not [row for row in rows if "FieldInfo" in row[1] or "Annotated" in row[1]]
    assert "| `organizations` | list[str] | empty |" in configuration.page().splitlines()


def test_sources_page_is_current() -> None:
    """docs/sources/table.md lists every source (run `python -m ops.generate.sources`)."""
    assert sources.PAGE.read_text(encoding="utf-8") == sources.page()


def test_commands_page_is_current() -> None:
    """docs/commands.md is what the commands say of themselves (run `python -m ops.generate.commands`)."""
    assert commands.PAGE.read_text(encoding="utf-8") == commands.page()


def test_every_command_says_what_it_takes() -> None:
    """Each command, argument and option of the page has words in both languages."""
    said = re.findall(r"^\| \S.*?`[^`]*`.*? \| (.*?) \|", commands.page(), re.MULTILINE)
    assert len(said) > 200
    assert [
        words
        for words in said
        if not (re.search("[ぁ-ん一-龠ァ-ヶ]", words) and re.search("[a-zA-Z]{2}", words))
    ] == []


def test_both_readmes_have_the_same_shape() -> None:
    """The same headings, commands and links in the same order; only the language differs."""
    texts = [(ROOT / name).read_text(encoding="utf-8") for name in ("README.md", "README.en.md")]
    headings = [
        [line.count("#", 0, 3) for line in text.splitlines() if line.startswith("#")] for text in texts
    ]
    assert headings[0] == headings[1]
    commands = [
        re.findall(r"^\s*(?:make|\.venv/bin/hinomi) .*?(?=\s{2,}#|$)", text, re.MULTILINE) for text in texts
    ]
    assert commands[0] == commands[1] and commands[0]
    links = [set(re.findall(r"\]\((docs/[^)]+)\)", text)) for text in texts]
    assert links[0] == links[1]


def test_links_of_the_documents_exist() -> None:
    """Every relative link of a page points to a file."""
    for page in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]:
        for link in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
            if "://" not in link:
                assert (page.parent / link).exists(), f"{page}: {link}"


def test_the_first_page_leads_to_every_page() -> None:
    """docs/index.md and the site's navigation name each page of docs/."""
    shown = ROOT / "docs" / "index.md", ROOT / "mkdocs.yml"
    first, site = (path.read_text(encoding="utf-8") for path in shown)
    pages = {path.name for path in (ROOT / "docs").glob("*.md")} - {"index.md"}
    assert [name for name in sorted(pages) if f"]({name})" not in first or f": {name}" not in site] == []


def test_every_command_that_the_documents_name_exists() -> None:
    """Commands and their options, in running text and in examples, are those of docs/commands.md."""
    sections = re.split(r"^##+ `hinomi ([a-z -]+)`$", commands.page(), flags=re.MULTILINE)[1:]
    options = {
        name: {"--help", *re.findall(r"--[a-z][a-z-]*", text)}
        for name, text in zip(sections[::2], sections[1::2], strict=True)
    }
    pages = [page for page in ROOT.glob("*.md") if page.name != "CHANGELOG.md"]  # which tells of what was
    wrong, seen = [], 0
    for page in [*pages, *(ROOT / "docs").rglob("*.md"), *(ROOT / "ops" / "systemd").glob("*.service")]:
        text = page.read_text(encoding="utf-8").replace("\\\n", " ")
        for found in re.finditer(
            r"(?:^\s*|`|\.venv/bin/)hinomi +(([a-z-]+)(?: +[a-z-]+)?)([^`\n|;#]*)", text, re.MULTILINE
        ):
            both, one, rest = found.groups()
            known = options.get(both, options.get(one))
            given = set(re.findall(r"(?<!\S)--[a-z][a-z-]*", both + rest))
            seen += 1
            if known is None or not given <= known:
                wrong.append(f"{page.name}: {found.group().strip()}")
    assert not wrong and seen > 150, (wrong, seen)


def test_the_first_target_and_playbook_of_the_guide_work(tmp_path: Path) -> None:
    """The examples of docs/response.md as they stand: the target can do what the playbook asks of it, and the playbook is without fault."""
    text = (ROOT / "docs/response.md").read_text(encoding="utf-8")
    config, book = tmp_path / "hinomi.yaml", tmp_path / "block_scanner.yml"
    key = tmp_path / "key"
    key.write_text("t0ken", encoding="utf-8")
    block = "\n" + text.partition("/ a first target and playbook\n")[2].partition("```")[0]
    block = block.replace("/etc/hinomi/fortigate.token", str(key)).replace(
        "/etc/hinomi/playbooks", str(tmp_path)
    )
    config.write_text(f"respond:{block}", encoding="utf-8")
    book.write_text(
        "playbook:" + text.partition("```yaml\nplaybook:")[2].partition("```")[0], encoding="utf-8"
    )
    settings, playbook = read_settings(config).respond, load(book)
    assert [one.act for one in playbook.acts] == ["firewall.block_address"]
    assert of_action("firewall.block_address", settings.connectors) is not None
    assert catalogue(*settings.playbooks.folders)["block_scanner"] == playbook
    for command in re.findall(r"`hinomi (playbooks [a-z-]+)", text):
        assert f"### `hinomi {command}`" in commands.page(), command


def test_the_first_rota_and_channel_of_the_guide_work(tmp_path: Path) -> None:
    """The example of docs/response.md as it stands: read, and the doctor finds somebody on call at every hour."""
    text = (ROOT / "docs/response.md").read_text(encoding="utf-8")
    block = text.partition("```yaml\nrespond:")[2].partition("```")[0]
    config = tmp_path / "hinomi.yaml"
    config.write_text(f"respond:{block}", encoding="utf-8")
    settings = read_settings(config)
    role = Role("doctor", tmp_path, settings, RunDir.of(tmp_path))
    patient = Patient(tmp_path, settings, role.events(), role.records(), role.run)
    told = {check.said.en.partition(":")[0] for check in calling(patient) if check.state is not State.GOOD}
    assert told == {"the contact tree has nobody for"}, "another list, of offices that are told by telephone"
