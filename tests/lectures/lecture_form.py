"""The notebooks of the lectures as their tests read them; run it to see how long a core path takes.

``python tests/lectures/lecture_form.py 04`` prints the minutes of lecture 04 by the course's count:
200 words of prose a minute, 20 seconds for each visible statement of code, a minute for each figure
and a minute and a half for each displayed formula. What is folded is not counted. With
``write`` it writes ``lectures/NOTATION.md`` anew from the boxes of the lectures, and the minutes in
the tables of ``README.md`` and ``lectures/Welcome.ipynb`` from their metadata.
"""

import ast
import json
import re
import sys
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

ROOT = Path(__file__).parents[2]
LECTURES = ROOT / "lectures"
TABLES = (ROOT / "README.md", LECTURES / "Welcome.ipynb")  # pages with a table of the lectures

WORDS_A_MINUTE = 200
MINUTES_A_STATEMENT = 1 / 3
MINUTES_A_FIGURE = 1.0
MINUTES_A_FORMULA = 1.5

_DISPLAY = re.compile(r"\$\$.*?\$\$", re.DOTALL)
_FOLDED = re.compile(r"<details>.*?</details>", re.DOTALL)
_CODE = re.compile(r"```.*?```", re.DOTALL)


@dataclass(frozen=True)
class Cell:
    """A cell: its place in the notebook counted from 1, and what its metadata say."""

    number: int
    id: str
    kind: str
    source: str
    metadata: dict = field(repr=False)

    def __str__(self):
        return f"cell {self.number} ({self.id})"

    @property
    def tags(self):
        return self.metadata.get("tags", [])

    @property
    def is_code(self):
        return self.kind == "code"

    @property
    def is_optional(self):
        return "optional" in self.tags

    @property
    def is_folded(self):
        return "hide-input" in self.tags

    @property
    def alt(self):
        """The alternative texts of the cell's figures."""
        given = self.metadata.get("nnlite", {}).get("alt", [])
        return [given] if isinstance(given, str) else list(given)

    @property
    def visible_lines(self):
        return 0 if self.is_folded or not self.is_code else len(self.source.splitlines())

    @cached_property
    def statements(self):
        """How many statements a reader reads: nested ones too, imports and docstrings not."""
        tree = ast.parse(without_magics(self.source))
        kinds = (ast.Import, ast.ImportFrom)
        found = [n for n in ast.walk(tree) if isinstance(n, ast.stmt) and not isinstance(n, kinds)]
        return len([n for n in found if not _is_text(n)])

    @property
    def draws(self):
        """Whether its own lines, not those of functions it defines, draw a figure."""
        tree = ast.parse(without_magics(self.source))
        lines = [n for n in tree.body if not isinstance(n, (ast.FunctionDef, ast.ClassDef))]
        used = [n for line in lines for n in ast.walk(line) if isinstance(n, ast.Attribute)]
        return any(
            isinstance(n.value, ast.Name)
            and n.value.id in ("plt", "plots", "fig", "figure")
            and n.attr not in ("rcParams", "close", "style", "dpi")
            for n in used
        )


def _is_text(node):
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def without_magics(source):
    """Lines that only IPython understands, as comments."""
    return re.sub(r"^([%!].*)$", r"pass  # \1", source, flags=re.MULTILINE)


class Notebook:
    """A lecture's notebook."""

    def __init__(self, path):
        self.path = path
        self.name = path.stem
        self.number = path.name[:2]
        self.raw = json.loads(path.read_text("utf-8"))
        self.metadata = self.raw["metadata"]
        self.cells = [
            Cell(n, c.get("id", ""), c["cell_type"], "".join(c["source"]), c["metadata"])
            for n, c in enumerate(self.raw["cells"], start=1)
        ]

    def __repr__(self):
        return self.name

    @property
    def about(self):
        """What the notebook's metadata say to nnlite."""
        return self.metadata.get("nnlite", {})

    @property
    def code(self):
        return [cell for cell in self.cells if cell.is_code]

    @property
    def prose(self):
        return [cell for cell in self.cells if cell.kind == "markdown"]

    @property
    def core(self):
        return [cell for cell in self.cells if not cell.is_optional]

    @cached_property
    def headings(self):
        """Cell and text of each heading, ``## 1 · Slopes``, outside code."""
        return [
            (cell, line.strip())
            for cell in self.prose
            for line in _CODE.sub("", cell.source).splitlines()
            if re.match(r"#{1,4} ", line)
        ]

    def section(self, title):
        """The cells from the heading ``## title`` up to the next of its level."""
        starts = [cell.number for cell, text in self.headings if re.match("#{1,2} ", text)]
        first = next((c.number for c, text in self.headings if text == f"## {title}"), None)
        if first is None:
            return []
        end = min([n for n in starts if n > first], default=len(self.cells) + 1)
        return self.cells[first - 1 : end - 1]

    def minutes(self, optional=False):
        """What the core path, or the rest, takes: minutes by kind of what is read."""
        cells = [cell for cell in self.cells if cell.is_optional == optional]
        prose = [_FOLDED.sub("", cell.source) for cell in cells if cell.kind == "markdown"]
        code = [cell for cell in cells if cell.is_code]
        return {
            "prose": sum(map(_words, prose)) / WORDS_A_MINUTE,
            "code": MINUTES_A_STATEMENT * sum(c.statements for c in code if not c.is_folded),
            "figures": MINUTES_A_FIGURE * sum(len(c.alt) for c in code),
            "formulas": MINUTES_A_FORMULA * sum(len(_DISPLAY.findall(text)) for text in prose),
        }

    @property
    def references(self):
        """Surname of the first author and year of each reference."""
        text = "\n".join(cell.source for cell in self.section("References"))
        items = re.findall(
            r"^(?:[-*]|\d+\.)\s+(.*(?:\n(?![-*]|\d+\.|\s*$).*)*)", text, re.MULTILINE
        )
        found = []
        for item in items:
            name = re.search(r"[^\W\d_][\w'’-]+", item)
            year = re.search(r"\b(1[5-9]|20)\d\d\b", item)
            found.append((name[0] if name else item, year[0] if year else ""))
        return found

    @property
    def notation(self):
        """The rows of the notation box: symbol, meaning, spelling in code."""
        box = next((cell for cell in self.cells if cell.id == f"l{self.number}-notation"), None)
        return table_rows(box.source) if box else []


def _words(text):
    text = re.sub(r"<[^>]+>", " ", _CODE.sub(" ", _DISPLAY.sub(" ", text)))
    text = re.sub(r"^\s*\|?[-| :]+\|?\s*$", " ", text, flags=re.MULTILINE)  # rules of tables
    return len(re.findall(r"[^\s|]*\w[^\s|]*", re.sub(r"\$[^$]+\$", " formula ", text)))


def table_rows(markdown):
    """The cells of each row of a table of three columns, without its heading."""
    rows = [line for line in markdown.splitlines() if line.lstrip().startswith("|")]
    split = [re.split(r"(?<!\\)\|", row.strip().strip("|")) for row in rows]
    return [tuple(part.strip() for part in row) for row in split[2:]]


def notebooks():
    """All lectures, in order."""
    return [Notebook(path) for path in sorted(LECTURES.glob("[0-9][0-9]_*.ipynb"))]


def notation():
    """The course's table of notation, from the boxes of its lectures."""
    meanings = {}
    for notebook in notebooks():
        for symbol, meaning, *_ in notebook.notation:
            meanings.setdefault((symbol, meaning), []).append(notebook.number)
    rows = [f"| {s} | {m} | {', '.join(numbers)} |" for (s, m), numbers in meanings.items()]
    return "\n".join(["| symbol | meaning | lectures |", "| --- | --- | --- |", *rows])


def with_minutes(page):
    """A page with a table of the lectures, in it the minutes of the core paths."""
    minutes = {x.number: x.about.get("core_minutes") for x in notebooks()}

    def told(row):
        return f"{row[1]}{minutes[row[2]] or row[3]} |"

    return re.sub(r"(?m)^(\W*\| \[?(\d\d)(?: \|)? [^|]+ \| )(\d+) \|", told, page)


def write():
    """Write anew what the lectures themselves say: notation, and the minutes in tables."""
    path = LECTURES / "NOTATION.md"
    before = path.read_text("utf-8").partition("| symbol")[0]
    path.write_text(before + notation() + "\n", "utf-8")
    for path in TABLES:
        path.write_text(with_minutes(path.read_text("utf-8")), "utf-8")


def _print_minutes(wanted):
    for notebook in notebooks():
        if wanted and notebook.number not in wanted:
            continue
        for what, optional in (("core", False), ("★", True)):
            parts = notebook.minutes(optional)
            told = ", ".join(f"{name} {minutes:.0f}" for name, minutes in parts.items())
            print(f"{notebook.name} {what}: {sum(parts.values()):.0f} minutes ({told})")


if __name__ == "__main__":
    if sys.argv[1:] == ["write"]:
        write()
    else:
        _print_minutes(sys.argv[1:])
