"""What the house promises about itself and no linter knows: sizes, where imports and catch-alls may stand."""

import ast
import importlib
import re
import tomllib
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from fediblog.config import Config

pytestmark = pytest.mark.once

ROOT = Path(__file__).parent.parent
HOUSE = ROOT / "fediblog"
FILES = sorted(HOUSE.rglob("*.py"))

MOST_LINES_OF_A_FUNCTION = 60
MOST_LINES_OF_A_FILE = 450
# Where anything may be caught: whoever stands between our code and a stranger, a job or a shell.
CATCH_ALL = {"web", "api", "tasks", "app.py", "cli"}
# A door that stands before the framework.
INBOX_DOOR = HOUSE / "activitypub" / "inbox" / "door.py"
# Templates that hand out HTML as it stands, and what: texts that fediblog.text has made safe.
SAFE_TEMPLATES: dict[str, set[str]] = {
    "fediblog/web/templates/about.html": {"shell.site.description_html"},
    "fediblog/web/templates/announcements.html": {"one.html"},
    "fediblog/web/templates/docs/api.html": {"contents"},  # Another template, which escapes.
    "fediblog/web/templates/feed_text.html": {"body.content"},
    "fediblog/web/templates/history.html": {"version.content"},
    "fediblog/web/templates/post/text.html": {"body.content"},
    "fediblog/web/templates/profile.html": {"card.note", "field.value"},
}
# Keys whose default follows from others.
DERIVED = {"base_url", "domain", "secret_key"}


def _name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), _name(path))


def _functions(tree: ast.Module) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def _length(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    return (node.end_lineno or node.lineno) - node.lineno + 1


def test_no_function_is_longer_than_a_screen():
    too_long = [
        f"{_name(path)}:{node.lineno} {node.name} has {_length(node)} lines"
        for path in FILES
        for node in _functions(_tree(path))
        if _length(node) > MOST_LINES_OF_A_FUNCTION
    ]
    assert not too_long, "\n".join(too_long)


def test_no_file_is_two():
    sizes = {_name(path): len(path.read_text(encoding="utf-8").splitlines()) for path in FILES}
    too_long = {name: size for name, size in sizes.items() if size > MOST_LINES_OF_A_FILE}
    assert not too_long


def test_imports_stand_at_the_top():
    inside = [
        f"{_name(path)}:{statement.lineno}"
        for path in FILES
        for function in _functions(_tree(path))
        for statement in ast.walk(function)
        if isinstance(statement, ast.Import | ast.ImportFrom)
    ]
    assert not inside, inside


def _catches_all(handler: ast.ExceptHandler) -> bool:
    caught = handler.type
    kinds = caught.elts if isinstance(caught, ast.Tuple) else [caught]
    names = {kind.id for kind in kinds if isinstance(kind, ast.Name)}
    return caught is None or bool(names & {"Exception", "BaseException"})


def _hands_it_on(handler: ast.ExceptHandler) -> bool:
    """Whether the handler ends by raising what it caught: a clean-up, nothing is swallowed."""
    last = handler.body[-1]
    return isinstance(last, ast.Raise) and last.exc is None


def test_only_the_doors_catch_everything():
    caught = [
        f"{_name(path)}:{node.lineno}"
        for path in FILES
        if path.relative_to(HOUSE).parts[0] not in CATCH_ALL and path != INBOX_DOOR
        for node in ast.walk(_tree(path))
        if isinstance(node, ast.ExceptHandler) and _catches_all(node) and not _hands_it_on(node)
    ]
    assert set(caught) <= _group_commit_handler(), caught


def _group_commit_handler() -> set[str]:
    """The one exception: a failed group must tell every unit in it, whatever it failed of."""
    path = HOUSE / "group_commit.py"
    handlers = [node for node in ast.walk(_tree(path)) if isinstance(node, ast.ExceptHandler)]
    return {f"{_name(path)}:{node.lineno}" for node in handlers}


def test_every_job_has_a_task():
    if not (HOUSE / "queue.py").exists():
        pytest.skip("there is no queue yet")
    job = importlib.import_module("fediblog.queue").Job
    duties = importlib.import_module("fediblog.tasks.worker").duties
    without = {each.value for each in job} - {each.value for each in duties}
    assert not without, f"no task does {without}"


def test_no_template_hands_out_html_that_text_has_not_made():
    for path in sorted(HOUSE.rglob("*.html")):
        source = path.read_text(encoding="utf-8")
        marked = set(re.findall(r"\{\{-?\s*([^{}|]+?)\s*\|[^{}]*\b(?:safe|prose)\b", source))
        allowed = SAFE_TEMPLATES.get(_name(path), set())
        assert marked <= allowed, f"{_name(path)}: {marked - allowed} is not in the list of what is safe"


def test_no_template_switches_escaping_off():
    for path in sorted(HOUSE.rglob("*.html")):
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"autoescape\s+false|Markup\(", text), _name(path)


def _example() -> dict[str, object]:
    text = (ROOT / "config.example.toml").read_text(encoding="utf-8")
    return tomllib.loads(re.sub(r"^#(?=\w+ = )", "", text, flags=re.M))


def test_the_example_configuration_has_every_key_with_its_default():
    example = _example()
    written = {name for name, value in example.items() if not isinstance(value, dict)}
    sections = {name for name, field in Config.model_fields.items() if hasattr(field.default, "model_fields")}
    assert written == set(Config.model_fields) - sections
    for name in sections:
        default = Config.model_fields[name].default.model_dump(mode="json")
        assert example[name] == {key: "" if "**" in str(value) else value for key, value in default.items()}
    for name in written - DERIVED:
        assert str(Path(str(example[name]))) == str(Path(str(Config.model_fields[name].default))), name


def test_the_example_configuration_says_what_each_key_is_for():
    lines = (ROOT / "config.example.toml").read_text(encoding="utf-8").splitlines()
    key = re.compile(r"#?\w+ = ")
    for before, line in pairwise(lines):
        if key.match(line):
            assert before.startswith("# ") or key.match(before), f"{line}: no comment above it"


def _locked(name: str) -> dict[str, str]:
    """The versions in one lock, each with at least one hash."""
    text = (ROOT / name).read_text(encoding="utf-8")
    found = re.findall(r"^([a-z0-9._-]+)==(\S+) \\\n    --hash=sha256:[0-9a-f]{64}", text, flags=re.M)
    assert len(found) == len(re.findall(r"^[A-Za-z0-9]\S*==", text, flags=re.M)), "each pin needs its hash"
    return dict(found)


def _wanted(requirements: list[str]) -> set[str]:
    """The bare names in a list of requirements."""
    names = (re.match(r"[A-Za-z0-9._-]+", requirement) for requirement in requirements)
    return {re.sub(r"[-_.]+", "-", name[0]).lower() for name in names if name}


def test_every_dependency_is_locked_with_its_hash():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    run, develop, build = (_locked(f"requirements{part}.txt") for part in ("", "-dev", "-build"))
    assert _wanted(project["project"]["dependencies"]) <= set(run), "make lock"
    assert _wanted(project["project"]["optional-dependencies"]["dev"]) <= set(develop), "make lock"
    assert _wanted(project["build-system"]["requires"]) <= set(build), "make lock"
    assert run.items() <= develop.items(), "the tests must run with what is installed for people"


def test_the_locks_name_no_place_to_load_from():
    for path in ROOT.glob("requirements*.txt"):
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"://|^--?[a-z]|@ |/(work|root|home|tmp)/", text, flags=re.M), path.name
