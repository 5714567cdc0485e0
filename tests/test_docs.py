"""The pages say what is: their Python runs, their numbers are counted, what they name exists.

The blocks of a page share one namespace, as a reader would run them from top to bottom. A line that
ends in ``# -> text`` is evaluated, and its value must print as that text.
"""

import ast
import inspect
import json
import re
from pathlib import Path

import numpy as np
import pytest

import nnlite
from nnlite.engine import edits
from nnlite.ops.nondifferentiable import ALTERNATIVES, NONDIFFERENTIABLE
from nnlite.ops.operation import TABLE

ROOT = Path(__file__).parents[1]
PAGES = [p for p in (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))) if p.exists()]
BLOCK = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def run(code, namespace, filename):
    """Execute a block; compare expressions with the values claimed. Returns how many were."""
    lines = code.splitlines()
    compared = 0
    for statement in ast.parse(code, filename).body:
        claim = re.search(r"# -> (.*)$", lines[statement.end_lineno - 1])
        if claim and isinstance(statement, ast.Expr):
            value = eval(compile(ast.Expression(statement.value), filename, "eval"), namespace)
            assert str(value) == claim[1].strip(), f"{filename}: {ast.unparse(statement)}"
            compared += 1
        else:
            exec(compile(ast.Module([statement], []), filename, "exec"), namespace)
    return compared


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_python_on_the_page_runs(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # what an example writes does not stay
    namespace = {"__name__": page.stem}
    for code in BLOCK.findall(page.read_text("utf-8")):
        run(code, namespace, page.name)


def test_the_page_about_the_engine_states_values():
    text = (ROOT / "docs" / "engine.md").read_text("utf-8")
    namespace = {}
    assert sum(run(code, namespace, "engine.md") for code in BLOCK.findall(text)) >= 15


def test_a_false_claim_is_noticed():
    with pytest.raises(AssertionError, match=r"1 \+ 1"):
        run("1 + 1  # -> 3", {}, "page")


def test_what_the_table_of_spellings_says_runs():
    """The right-hand column, where it is code, on small tensors."""
    text = (ROOT / "docs" / "coming_from_pytorch.md").read_text("utf-8")
    table = re.findall(r"^\| (`.*?) \| (`.*) \|$", text, re.MULTILINE)
    assert len(table) >= 18
    t = nnlite.Tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
    space = {
        "np": np, "nnlite": nnlite, "t": t, "u": t * 2, "x": t, "y": np.sum(t * t), "h": t,
        "A": t, "b": np.ones(2), "m": t > 2, "v": 1.0, "i": np.array([[0], [1]]), "f": np.sin,
        "rng": np.random.default_rng(0), "values": [1.0], "array": np.ones(2), "hvp": nnlite.hvp,
        "loss": np.sum(t), "hessian": nnlite.hessian,
    }  # fmt: skip
    ran = 0
    for _, here in table:
        for code in re.findall(r"`(.*?)`", here):
            if "path" in code or code == "t.item()":  # writes a file; needs a single number
                continue
            if "t[i]" in code:
                space["i"] = np.array([0, 1])
            # edits go to a tensor of their own, since the losses above read t
            own = {"t": nnlite.tensor(t.data)} if re.match(r"t(\[\.\.\.\]| \+=)", code) else {}
            exec(compile(code, "table", "exec"), space | own)
            ran += 1
    assert ran > 30


# --- numbers -----------------------------------------------------------------------------------

WORDS = {"two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9}


def text_of(page):
    """The text of a page in one line, since sentences go on where lines end."""
    return " ".join((ROOT / page).read_text("utf-8").split())


def number(text):
    return WORDS.get(text) or float(text.replace(",", ""))


APART = {"spellings.py", "suggestions.py"}  # words, of which the page says that they do not count


def lines_of(paths):
    return sum(len(p.read_text("utf-8").splitlines()) for p in paths)


def engine():
    return [p for p in (ROOT / "nnlite" / "engine").glob("*.py") if p.name not in APART]


def core():
    """The files with which docs/engine.md begins."""
    return [ROOT / x for x in re.findall(r"\| `(nnlite/\S+\.py)` \|", text_of("docs/engine.md"))]


def default_of_gradcheck(name):
    return inspect.signature(nnlite.gradcheck).parameters[name].default


# A page, a sentence with a number, what it counts, and by what share it may be off. Functions are
# those of one version of NumPy: others have a few more or fewer.
STATED = [
    ("docs/engine.md", r"some ([\d,]+) lines, comments", lambda: lines_of(engine()), 0.05),
    ("docs/engine.md", r"These five have some ([\d,]+) lines", lambda: lines_of(core()), 0.05),
    ("docs/engine.md", r"These (\w+) have", lambda: len(core()), 0),
    ("docs/engine.md", r"(\d+) of NumPy's functions have a rule", lambda: len(TABLE), 0.05),
    ("docs/engine.md", r"(\d+) give plain arrays", lambda: len(NONDIFFERENTIABLE), 0.05),
    ("docs/engine.md", r"(\d+) are refused by an error", lambda: len(ALTERNATIVES), 0.05),
    ("docs/engine.md", r"all of up to (\d+) entries", lambda: edits.WHOLE, 0),
    ("docs/engine.md", r"a grid of about (\d+) in larger", lambda: edits.WHOLE, 0),
    ("docs/gradcheck.md", r"`max_entries=(\d+)`", lambda: default_of_gradcheck("max_entries"), 0),
    ("docs/gradcheck.md", r"`directions=(\d+)`", lambda: default_of_gradcheck("directions"), 0),
    ("README.md", r"whose core, (\w+) files", lambda: len(core()), 0),
    ("README.md", r"# ([\d,]+) digits, shape", lambda: len(nnlite.datasets.mnist()[0]), 0),
]


@pytest.mark.parametrize(("page", "sentence", "count", "share"), STATED)
def test_a_number_in_the_prose_is_right(page, sentence, count, share):
    found = re.search(sentence, text_of(page))
    assert found, f"{page} has no sentence like {sentence!r}"
    off = abs(number(found[1]) - count())
    assert off <= share * count(), f"{page} says {found[0]!r}; there are {count()}"


# --- the lectures, in the README ---------------------------------------------------------------


def lectures():
    """The number of each lecture, its metadata and its code."""
    for path in sorted((ROOT / "lectures").glob("[0-9][0-9]_*.ipynb")):
        notebook = json.loads(path.read_text("utf-8"))
        cells = [c["source"] for c in notebook["cells"] if c["cell_type"] == "code"]
        yield path.name[:2], notebook["metadata"]["nnlite"], "\n".join(map("".join, cells))


def test_the_readme_tells_the_minutes_of_the_lectures():
    page = text_of("README.md")
    told = re.findall(r"\| (\d\d) \| [^|]+ \| (\d+) \|", page)
    assert told == [(name, str(metadata["core_minutes"])) for name, metadata, _ in lectures()]
    least, most = re.search(r"sections marked ★ take (\d+) to (\d+) more", page).groups()
    optional = [metadata["optional_minutes"] for _, metadata, _ in lectures()]
    assert (min(optional), max(optional)) == (int(least), int(most))
    longest = max(metadata["budget_seconds"] for _, metadata, _ in lectures())
    assert longest < 60 * number(re.search(r"less than (\w+) minutes a lecture", page)[1])


def test_the_readme_tells_how_many_lectures_check_in_how_many_places():
    sentence = r"the (\w+) check a number .{,40} in some (\d+) places"
    how_many, told = re.search(sentence, text_of("README.md")).groups()
    places = [len(re.findall(r"\bclosed_form\(", code)) for _, _, code in lectures()]
    assert len(places) == number(how_many)
    assert abs(sum(places) - int(told)) < 0.05 * int(told), f"there are {sum(places)}"


# --- names -------------------------------------------------------------------------------------

CODE_PATH = re.compile(r"(?<![\w/.-])((?:[\w-]+/)*[\w-]+\.(?:py|md|ipynb|toml|cff))(?![\w/])")


def missing_files(text):
    """Files that a text names and that are nowhere, from the root or in the package."""
    for name in set(CODE_PATH.findall(text)):
        beside = [ROOT / name, ROOT / "docs" / name, ROOT / "nnlite" / name]
        if not any(p.exists() for p in beside) and not list((ROOT / "nnlite").glob(f"*/{name}")):
            yield name


@pytest.mark.parametrize("page", [*PAGES, ROOT / "CONTRIBUTING.md"], ids=lambda p: p.name)
def test_a_file_that_a_page_names_exists(page):
    made_later = re.compile(r"https?://\S+|\bbuild/\S+")
    assert sorted(missing_files(made_later.sub("", page.read_text("utf-8")))) == []


def test_a_file_that_is_nowhere_is_noticed():
    assert list(missing_files("see `nnlite/engine/tape.py`, tensor.py and docs/style.md")) == [
        "nnlite/engine/tape.py"
    ]


def test_the_page_about_the_engine_names_all_its_files():
    text = text_of("docs/engine.md")
    files = [p.name for p in (ROOT / "nnlite" / "engine").glob("*.py") if p.stem != "__init__"]
    assert [name for name in files if name not in text] == []


def test_the_layout_in_the_readme_names_every_part_of_the_package():
    page = (ROOT / "README.md").read_text("utf-8")
    layout = re.search(r"^```\nnnlite/\n(.*?)^```", page, re.MULTILINE | re.DOTALL)[1]
    named = re.findall(r"\w+(?:/|\.py)", layout)
    parts = [f"{p.parent.name}/" for p in (ROOT / "nnlite").glob("*/__init__.py")]
    assert [part for part in parts if part not in named] == []
    assert [x for x in named if not any((p / x).exists() for p in (ROOT, ROOT / "nnlite"))] == []


def test_the_options_in_the_readme_are_those_of_its_scripts():
    commands = re.findall(r"`python (benchmarks/\w+\.py)([^`]*)`", text_of("README.md"))
    assert len(commands) >= 3
    for script, options in commands:
        source = (ROOT / script).read_text("utf-8")
        unknown = [x for x in re.findall(r"--[\w-]+", options) if f'"{x}"' not in source]
        assert unknown == [], script


def test_the_rows_in_the_readme_stand_in_the_lecture():
    page = (ROOT / "README.md").read_text("utf-8")
    rows = re.findall(r"^\| [✓✗] [a-z ]+ \| (.*?) \|", page, re.MULTILINE)
    (lecture,) = (ROOT / "lectures").glob("03_*.ipynb")
    text = lecture.read_text("utf-8")
    assert len(rows) >= 4
    # What stands before a colon may be put together when the lecture runs.
    assert [row for row in rows if row.rpartition(": ")[2] not in text] == []
