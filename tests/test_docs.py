"""The Python in README.md and docs/ runs, and what comments claim about values is true.

The blocks of a page share one namespace, as a reader would run them from top to bottom. A line that
ends in `# -> text` is evaluated, and its value must print as that text.
"""

import ast
import re
from pathlib import Path

import pytest

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
