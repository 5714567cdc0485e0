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


APART = {"spellings.py", "suggestions.py"}  # words, of which the page says that they do not count


def test_the_number_of_lines_that_the_page_tells_is_right():
    text = (ROOT / "docs" / "engine.md").read_text("utf-8")
    told = int(re.search(r"some ([\d,]+) lines", text)[1].replace(",", ""))
    files = [p for p in (ROOT / "nnlite" / "engine").glob("*.py") if p.name not in APART]
    lines = sum(len(p.read_text("utf-8").splitlines()) for p in files)
    assert abs(lines - told) < 150, f"docs/engine.md tells of {told} lines; there are {lines}"


def test_what_the_table_of_spellings_says_runs():
    """The right-hand column, where it is code, on small tensors."""
    import numpy as np

    import nnlite

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
