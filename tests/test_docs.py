"""The documentation tells the truth: what it shows runs, what it lists is in the code."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from starlette.applications import Starlette
from starlette.testclient import TestClient

from edgewise.asgi.interface import HttpSettings
from edgewise.audiences.native import COUNT_KEYS, LOCATION_KEYS, RULE_KEYS, WHERE_KEYS, WHERE_MAPS
from edgewise.commands.faults import print_faults, print_set_aside
from edgewise.documents import ParsedRules, parse_documents
from edgewise.errors import EdgewiseError
from edgewise.experiences.native import KEYS as EXPERIENCE_KEYS
from edgewise.model.document import RuleDocument
from edgewise.sources.files import load_documents
from edgewise.sources.lines import LineFinder
from tests.docs.faults import FAULTS, FaultExample, codes_in_source, codes_of
from tests.docs.generated import PARTS, names_in, regenerated
from tests.docs.pages import (
    PAGES,
    REPOSITORY,
    Block,
    all_blocks,
    anchors_of,
    blocks_of,
    links_of,
    name_of,
)
from tests.docs.workspace import Workspace, compare_json
from tests.test_layers import ENGINE

ANSWERS = {("json", ("answer",)), ("json", ("part",)), ("text", ("answer",))}
PAGE_CASES = [pytest.param(page, id=name_of(page)) for page in PAGES]

_SOURCE_FILE = re.compile(r"`([a-z_/]+\.py)`")
_FORBIDDEN = re.compile(r"\b(segment|cohort|flag|treatment|variation)s?\b", re.IGNORECASE)


def cases(blocks: Iterable[Block]) -> list[Any]:
    """One parameter set per block."""
    return [pytest.param(block, id=block.place) for block in blocks]


def rule_blocks(*words: str) -> list[Block]:
    """The YAML blocks that are marked with exactly these words."""
    return [block for block in all_blocks("yaml") if block.words == words]


def answer_to(block: Block) -> Block | None:
    """The block right after this one on its page, where it shows an answer."""
    blocks = blocks_of(REPOSITORY / block.page)
    following = blocks[blocks.index(block) + 1 :][:1]
    return next((one for one in following if (one.language, one.words) in ANSWERS), None)


def check_answer(block: Block, real: str) -> None:
    """Hold what a page shows as the answer to a block against the real one."""
    shown = answer_to(block)
    if shown is None:
        assert real == "", f"{block.place} prints what the page does not show: {real}"
    elif shown.language == "json":
        compare_json(shown.text, real, whole=shown.words == ("answer",))
    else:
        assert real.strip().splitlines() == shown.text.strip().splitlines()


def demo_documents() -> list[RuleDocument]:
    """The demo's rules, so that a fragment may refer to them."""
    return load_documents(REPOSITORY / "rules" / "demo" / "main", REPOSITORY)


def as_document(fragment: Any) -> dict[str, list[Any]]:
    """A rule file out of a fragment: a list of rules, audiences or experiences."""
    document: dict[str, list[Any]] = {"audiences": [], "experiences": []}
    for position, member in enumerate(fragment):
        kind = "experiences" if "components" in member else "audiences"
        # What the demo has under this id too is another example of it.
        id_ = f"example-{member.get('id', position)}"
        document[kind].append({**member, "id": id_})
    return document


def parsed(block: Block, *others: RuleDocument) -> ParsedRules:
    """The rules of a block that is a whole file, or of one with others beside it."""
    return parse_documents([RuleDocument("shop.yaml", yaml.safe_load(block.text)), *others])


def fragment_members(kind: str) -> list[Mapping[str, Any]]:
    """Every audience, or every experience, of the fragments in the page about rules."""
    return [
        member
        for block in rule_blocks("fragment")
        if block.page == "docs/rules.md"
        for member in as_document(yaml.safe_load(block.text))[kind]
    ]


def keys_in(value: Any) -> Iterator[str]:
    """Every key of a value, at any depth."""
    if isinstance(value, Mapping):
        yield from value
        for member in value.values():
            yield from keys_in(member)
    elif isinstance(value, list):
        for member in value:
            yield from keys_in(member)


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    """A folder with the demo rules; its server ends with the test."""
    made = Workspace(tmp_path)
    yield made
    made.stop()


@pytest.mark.parametrize("block", cases(rule_blocks()))
def test_rule_file_loads(block: Block) -> None:
    """A YAML block is a rule file without a fault."""
    rules = parsed(block)
    assert [*map(str, rules.faults), *map(str, rules.set_aside)] == []
    assert rules.audiences or rules.experiences


@pytest.mark.parametrize("block", cases(rule_blocks("fragment")))
def test_rule_fragment_loads(block: Block) -> None:
    """A YAML block that is marked as a fragment is without a fault as part of a rule file."""
    document = RuleDocument("shop.yaml", as_document(yaml.safe_load(block.text)))
    rules = parse_documents([document, *demo_documents()])
    assert [*map(str, rules.faults), *map(str, rules.set_aside)] == []


@pytest.mark.parametrize("block", cases(rule_blocks("faulty")))
def test_faulty_rules_say_so(
    block: Block, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A YAML block that is marked as faulty has exactly the faults that the page shows.

    They are shown as commands print them.
    """
    rules = parsed(block)
    (tmp_path / "shop.yaml").write_text(block.text, "utf-8")
    finder = LineFinder(tmp_path)
    print_faults(finder.located(rules.faults))
    print_set_aside(finder.located(rules.set_aside))
    check_answer(block, capsys.readouterr().err)


def test_every_audience_key_has_an_example() -> None:
    """Each key of a native rule occurs in a fragment of the page about rules."""
    known = {*RULE_KEYS, *COUNT_KEYS, *LOCATION_KEYS, *WHERE_KEYS, *WHERE_MAPS, "where", "within"}
    assert known - set(keys_in(fragment_members("audiences"))) == set()


def test_every_experience_key_has_an_example() -> None:
    """Each key of a native experience occurs in a fragment of the page about rules."""
    assert set(EXPERIENCE_KEYS) - set(keys_in(fragment_members("experiences"))) == set()


def test_every_setting_of_requests_is_listed() -> None:
    """The page about embedding names each member of `HttpSettings` in its table."""
    text = (REPOSITORY / "docs" / "embedding.md").read_text("utf-8")
    listed = re.findall(r"^\| `(\w+)` ", text, re.MULTILINE)
    assert listed == list(HttpSettings.__struct_fields__)


@pytest.mark.parametrize("block", cases(b for b in all_blocks("python") if b.words == ()))
def test_python_runs(block: Block, workspace: Workspace) -> None:
    """A Python block runs by itself and prints what the page shows."""
    check_answer(block, workspace.run_python(block.text))


@pytest.mark.parametrize("block", cases(b for b in all_blocks("python") if b.words == ("app",)))
def test_application_serves(block: Block, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A Python block that makes an application serves the API below its prefix while it runs."""
    shutil.copytree(REPOSITORY / "rules", tmp_path / "rules")
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}
    exec(block.text, names)  # noqa: S102  # the page's own code
    assert isinstance(names["app"], Starlette)
    path = "/personalization/v2/organizations/demo/environments/main/profiles/anna"
    with TestClient(names["app"]) as client:
        sent = client.post(path, json={"events": [{"type": "page"}]})
        assert sent.status_code == 200
        assert client.get(path).json() == sent.json()


@pytest.mark.skipif(not shutil.which("curl"), reason="curl is not installed")
@pytest.mark.parametrize(
    "page",
    [
        pytest.param(page, id=name_of(page))
        for page in PAGES
        if any(block.language == "sh" and block.words for block in blocks_of(page))
    ],
)
def test_commands_run(page: Path, workspace: Workspace) -> None:
    """The commands of a page, one after the other, give the answers that the page shows.

    What they leave behind is nothing that a checkout would tell of, or that changes other pages.
    """
    for block in blocks_of(page):
        match block.language, block.words:
            case "sh", ("serve",):
                workspace.serve(block.text)
            case "sh", ("setup",):
                workspace.set_up(block.text)
            case "sh", ("run", *fails):
                check_answer(block, workspace.run(block.text, fails=fails == ["fails"]))
            case "yaml", (word,) if word.startswith("file="):
                workspace.write(word.removeprefix("file="), block.text)
    assert workspace.left_behind() == set()


def test_every_block_is_understood() -> None:
    """Each word behind a block's language is one that a test acts on."""
    known: dict[str, set[tuple[str, ...]]] = {
        "sh": {(), ("serve",), ("setup",), ("run",), ("run", "fails")},
        "yaml": {(), ("fragment",), ("faulty",), ("mapping",), ("file=rules/demo/main/mine.yaml",)},
        "python": {(), ("app",)},
        "json": {(), ("answer",), ("part",)},
        "text": {(), ("answer",)},
        "js": {()},
        "jsx": {()},
    }
    for page in PAGES:
        for block in blocks_of(page):
            assert block.words in known.get(block.language, ()), block.place


@pytest.mark.parametrize("page", PAGE_CASES)
def test_generated_parts_are_current(page: Path) -> None:
    """What a page takes from the code is what the code says: `python -m tests.docs.generated`."""
    text = page.read_text("utf-8")
    assert text == regenerated(text)


def test_every_generated_part_is_shown() -> None:
    """Each generated part stands on exactly one page."""
    shown = [name for page in PAGES for name in names_in(page.read_text("utf-8"))]
    assert sorted(shown) == sorted(PARTS)


def test_every_fault_code_is_listed() -> None:
    """The list of fault codes holds exactly those that the source notes faults with."""
    assert set(FAULTS) == codes_in_source()


@pytest.mark.parametrize(
    ("code", "fault"), [pytest.param(code, fault, id=code) for code, fault in FAULTS.items()]
)
def test_fault_example_has_the_fault(code: str, fault: FaultExample) -> None:
    """The example of a fault code has this fault."""
    assert code in [found for found, _ in codes_of(fault)]


def test_every_error_code_is_unique() -> None:
    """No two classes of the error tree share a code."""
    pending, codes = [EdgewiseError], []
    while pending:
        error = pending.pop()
        codes.append(error.code)
        # A test may derive classes of its own, which are not part of the tree.
        pending += [one for one in error.__subclasses__() if one.__module__ == error.__module__]
    assert len(codes) == len(set(codes))


@pytest.mark.parametrize("page", PAGE_CASES)
def test_links_resolve(page: Path) -> None:
    """Each link to a page or heading of the project leads to one that exists."""
    for target in links_of(page):
        if target.startswith("https://"):
            continue
        path, _, anchor = target.partition("#")
        linked = (page.parent / path).resolve() if path else page
        assert linked.exists(), target
        assert not anchor or anchor in anchors_of(linked), target


@pytest.mark.parametrize("page", PAGE_CASES)
def test_source_files_exist(page: Path) -> None:
    """Each file of the engine that a page names exists."""
    for name in _SOURCE_FILE.findall(page.read_text("utf-8")):
        assert (ENGINE / name).is_file(), name


@pytest.mark.parametrize("page", PAGE_CASES)
def test_words_are_the_projects_own(page: Path) -> None:
    """No page uses another word for what has one."""
    assert _FORBIDDEN.findall(page.read_text("utf-8")) == []
