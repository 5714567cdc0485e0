"""The pages: nothing from another host, what folds and is described, links, trust, a phone."""

import os
import re
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from nnlite import plots
from nnlite.checks import Check
from nnlite.checks.closed_forms import tables
from nnlite.checks.closed_forms.recording import CHECK_MIME
from nnlite.cli import contents, pages
from nnlite.cli.execute import Result
from nnlite.cli.find import Lecture
from nnlite.cli.summary import Mode

pytest.importorskip("latex2mathml")
pytest.importorskip("ziamath")

CHECK = Check("loss", 1.0, 1.0, 0.1, "atol 0.1", True, formula=r"\sum_{j>M}\lambda_j<\tfrac12")
FAILED = Check("<b>noise</b>", 3.0, 5.0, 0.1, "atol 0.1", False)


class _Tags(HTMLParser):
    """Collects the elements of a page with their attributes, and its style sheets."""

    def __init__(self, page):
        super().__init__()
        self.found = []
        self.styles = ""
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))

    def handle_data(self, data):
        if self.cdata_elem == "style":
            self.styles += data


def _attributes(page, wanted):
    return [attributes for tag, attributes in _Tags(page).found if tag == wanted]


def _outside(page):
    """What a browser would fetch to show a page: everything but what the page itself holds."""
    tags = _Tags(page)
    found = re.findall(r"@import\s*[^;]+|url\(([^)]*)\)", tags.styles)
    for tag, attributes in tags.found:
        found += [attributes[x] for x in ("src", "srcset", "data", "poster") if x in attributes]
        found += [attributes["href"]] if tag == "link" else []
    return [x for x in found if not x.strip("'\" ").startswith(("data:", "#"))]


@pytest.fixture(scope="module")
def ran():
    """Two lectures as if they had run: one with all kinds of outputs, one that failed."""
    moved = plots.slider(_draw, [1, 2])
    row = {"text/html": tables.row(CHECK), CHECK_MIME: CHECK.to_json(), "text/plain": "row"}
    notebook = new_notebook(
        cells=[
            new_markdown_cell(
                "# First\n\nInline $a<b$, costs $5 and $6, `$code$`, and\n\n"
                "$$\\begin{aligned}a&=\\frac12\\\\b&=\\hat x\\end{aligned}$$"
            ),
            new_code_cell(
                "price = '$x$'",
                execution_count=1,
                outputs=[
                    new_output("display_data", row),
                    new_output("display_data", {"text/html": moved.html, "text/plain": "s"}),
                    new_output("display_data", {"text/latex": "$\\sigma^2$", "text/plain": "l"}),
                    new_output("stream", name="stdout", text="$not a formula$"),
                ],
            ),
        ]
    )
    notebook.metadata.widgets = {"application/vnd.jupyter.widget-state+json": {"state": {}}}
    first = Result(Lecture(Path("01_first.ipynb"), "01 · First & foremost"), seconds=3.0)
    first.notebook, first.checks = notebook, [(2, CHECK)]
    second = Result(Lecture(Path("02_größer als.ipynb"), "02 · Größer"), status="failed check")
    second.notebook, second.checks = new_notebook(cells=[new_code_cell("x")]), [(1, FAILED)]
    second.problem, second.cell = "noise <is> wrong", 1
    return [first, second]


def _draw(value):
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(1, 1))
    axes.plot([0, value])
    return figure


@pytest.fixture(scope="module")
def built(ran, tmp_path_factory):
    """The folder with the pages of these lectures and their table of contents."""
    folder = tmp_path_factory.mktemp("pages") / "build" / "lectures"
    folder.mkdir(parents=True)
    lectures = [result.lecture for result in ran]
    for result in ran:
        pages.write_lecture(result, lectures, folder)
    pages.write(folder.parent / "index.html", contents.index(ran, lectures, folder, Mode(), 5.0))
    return folder.parent


# --- pages ----------------------------------------------------------------------------------------


def test_no_page_asks_another_host_for_anything(built):
    found = sorted(built.rglob("*.html"))
    assert len(found) == 3
    for path in found:
        page = path.read_text("utf-8")
        assert _outside(page) == [], path.name
        head = page[: page.index("</head>")]
        (policy,) = [
            meta["content"]
            for meta in _attributes(head, "meta")
            if meta.get("http-equiv") == "Content-Security-Policy"
        ]
        assert "default-src 'none'" in policy
        assert "http" not in policy
        assert not re.search(r"<script[^>]*\ssrc=", page)


def test_a_page_shows_formulas_rows_and_sliders_without_a_kernel(built):
    page = (built / "lectures" / "01_first.html").read_text("utf-8")
    text = re.sub(r"<(style|script|annotation)\b.*?</\1>", "", page, flags=re.DOTALL)
    assert text.count("<math") == 4
    assert "costs $5 and $6" in text
    assert "$code$" in text
    assert "$not a formula$" in text
    assert 'oninput="for(const [i,f] of' in text
    assert text.count("<figure") == 2
    assert text.count("data:image/png;base64,") == 2


def _page(*cells):
    result = Result(Lecture(Path("01_first.ipynb"), "01 · First"))
    result.notebook = new_notebook(cells=list(cells))
    return pages.page(result, [result.lecture], Path("lectures"))


def _drawn(source, *outputs, **metadata):
    shown = [new_output("display_data", data) for data in outputs]
    return new_code_cell(source, outputs=shown, metadata=metadata)


def test_code_that_is_hidden_in_the_notebook_folds_and_its_output_does_not():
    page = _page(
        _drawn("visible = 1"),
        _drawn("helper = 2", {"text/plain": "what it shows"}, tags=["hide-input"]),
        _drawn("hidden = 3", jupyter={"source_hidden": True}),
        _drawn("answer = 4", tags=["solution", "hide-input"]),
    )
    folded = re.findall(r'<details class="nnlite-folded">.*?</details>', page, flags=re.DOTALL)
    words = [
        (re.search("<summary>(.*?)</summary>", x)[1], re.sub("<[^>]+>", "", x)) for x in folded
    ]
    assert [title for title, _ in words] == ["code", "code", "solution"]
    for (_, text), name in zip(words, ("helper", "hidden", "answer"), strict=True):
        assert f"{name} = " in text
    assert "visible" not in "".join(folded)
    assert "what it shows" not in "".join(folded)


def test_figures_have_the_alternative_texts_of_their_cell_in_order():
    png = {"image/png": "iVBORw0KGgo=", "text/plain": "a figure"}
    moved = {"text/html": plots.slider(_draw, [1, 2]).html, "text/plain": "s"}
    page = _page(
        _drawn("one", png, nnlite={"alt": 'A line & a "dot".'}),
        _drawn("two", png, {"text/plain": "7"}, moved, nnlite={"alt": ["First.", "It moves."]}),
    )
    images = [image.get("alt") for image in _attributes(page, "img")]
    assert images == ['A line & a "dot".', "First.", "1", "2"]
    labels = [x["aria-label"] for x in _attributes(page, "div") if x.get("role") == "group"]
    assert labels == ["It moves."]


def test_optional_cells_carry_a_star():
    page = _page(_drawn("extra", tags=["optional"]), _drawn("core"))
    assert page.count(" celltag_optional") == 1
    assert '.celltag_optional::before{content:"★"' in page


def test_a_page_is_readable_on_a_narrow_screen(built):
    for path in built.rglob("*.html"):
        page = path.read_text("utf-8")
        metas = {meta.get("name"): meta.get("content") for meta in _attributes(page, "meta")}
        assert metas["viewport"].startswith("width=device-width")
        assert "@media (max-width:700px)" in page


def test_pages_are_linked_with_each_other(built):
    links = {
        name: [(a.get("rel"), a["href"]) for a in _attributes(path.read_text("utf-8"), "a")]
        for name, path in ((path.stem, path) for path in built.rglob("lectures/*.html"))
    }
    top = (None, "../index.html")
    after, before = ("next", "02_gr%C3%B6%C3%9Fer%20als.html"), ("prev", "01_first.html")
    for name, here, other in (("01_first", after, before), ("02_größer als", before, after)):
        assert links[name].count(here) == links[name].count(top) == 2  # above and below
        assert other[0] not in [rel for rel, _ in links[name]]


def test_the_table_of_contents_leads_to_every_page_and_tells_what_came_of_it(built):
    page = (built / "index.html").read_text("utf-8")
    for link in _attributes(page, "a"):
        assert (built / unquote(link["href"])).exists()
    assert '<a href="lectures/01_first.html">01 · First &amp; foremost</a>' in page
    assert "<td class=n>3.0 s</td>" in page
    assert "1 of 2 lectures passed; 1 of 2 checks pass; 1 FAIL" in page
    assert "noise &lt;is&gt; wrong" in page
    assert "&lt;b&gt;noise&lt;/b&gt;" in page
    assert "<b>noise" not in page
    assert page.count("<section>") == 2


def test_a_page_of_an_earlier_run_stays_in_the_table_of_contents(ran, built):
    lectures = [*(r.lecture for r in ran), Lecture(Path("03_never_ran.ipynb"), "Never")]
    page = contents.index(ran[1:], lectures, built / "lectures", Mode(), 1.0)
    assert "from an earlier run" in page
    assert "Never" not in page


# --- trust ----------------------------------------------------------------------------------------


def test_executed_notebooks_are_trusted_until_they_are_changed(built):
    from nbformat.sign import NotebookNotary

    path = built / "lectures" / "01_first.ipynb"
    with NotebookNotary() as notary:
        assert notary.check_signature(nbformat.read(path, as_version=4))
        path.write_text(path.read_text("utf-8").replace("price", "prize"), "utf-8")
        assert not notary.check_signature(nbformat.read(path, as_version=4))


def test_where_nothing_can_be_signed_the_run_goes_on(built, monkeypatch, tmp_path):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(tmp_path / "file" / "jupyter"))
    assert pages.sign(built / "lectures" / "01_first.ipynb") is False


# --- files ----------------------------------------------------------------------------------------


def test_a_file_is_replaced_in_one_step_or_not_at_all(tmp_path, monkeypatch):
    path = tmp_path / "ledger.md"
    pages.write(path, "old")

    def full_disk(*_):
        raise OSError("no space left")

    monkeypatch.setattr(os, "replace", full_disk)
    with pytest.raises(OSError, match="no space left"):
        pages.write(path, "new")
    assert path.read_text() == "old\n"
    assert list(tmp_path.iterdir()) == [path]


def test_half_a_surrogate_pair_does_not_keep_a_page_from_being_written(tmp_path):
    pages.write(tmp_path / "page.html", "a\ud800b")
    assert (tmp_path / "page.html").read_text("utf-8") == "a?b\n"
