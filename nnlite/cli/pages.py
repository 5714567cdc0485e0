"""Pages of the executed lectures, complete in themselves.

Nothing on them is loaded from anywhere else: formulas are MathML, pictures and the font of the
formulas are part of the page, and each page forbids its browser to ask another host.
"""

from __future__ import annotations

import contextlib
import copy
import html
import os
import sqlite3
import threading
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nnlite.cli.find import Lecture
from nnlite.cli.typeset import font, typeset

if TYPE_CHECKING:
    from nnlite.cli.execute import Result

__all__ = ["ALONE", "NARROW", "href", "page", "sign", "title_of", "write", "write_lecture"]

_signing = threading.Lock()  # the first to sign makes the secret that all sign with

ALONE = (
    '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; '
    "img-src data: blob: file: 'self'; media-src data: blob:; font-src data:; "
    "style-src 'unsafe-inline'; script-src 'unsafe-inline'\">"
)

# nbconvert's own page, without the scripts that it would load, and with a way to the next lecture.
# Code that is hidden in the notebook folds, and figures say what one sees on them.
_TEMPLATE = (
    "{%- extends 'index.html.j2' -%}"
    "{%- block html_head_js_requirejs -%}" + ALONE + "{%- endblock -%}"
    "{%- block jupyter_widgets -%}{%- endblock -%}"
    "{%- block html_head_js_mathjax -%}{%- endblock -%}"
    "{%- block html_head_js_mermaidjs -%}{%- endblock -%}"
    "{%- block html_head_css -%}<style>{{ resources.nnlite.style }}</style>{%- endblock -%}"
    "{%- block input_group -%}{%- if cell.metadata.nnlite_folded -%}"
    '<details class="nnlite-folded"><summary>{{ cell.metadata.nnlite_folded }}</summary>'
    "{{ super() }}</details>{%- else -%}{{ super() }}{%- endif -%}{%- endblock -%}"
    "{%- block data_png -%}"
    "{{ super() | replace('<img ', '<img ' ~ output.metadata.get('nnlite_alt', ''), 1) }}"
    "{%- endblock -%}"
    "{%- block data_html -%}<div {{ output.metadata.get('nnlite_label', '') }}>"
    "{{ super() }}</div>{%- endblock -%}"
    "{%- block body_header -%}{{ super() }}{{ resources.nnlite.links }}{%- endblock -%}"
    "{%- block body_footer -%}{{ resources.nnlite.links }}{{ super() }}{%- endblock -%}"
)

# On a narrow screen a row of the ledger is a paragraph: verdict, claim, then its numbers.
NARROW = """
@media (max-width:700px){
  .nnlite-ledger table{min-width:0!important}
  .nnlite-ledger :is(table,tbody){display:block}
  .nnlite-ledger :is(thead,colgroup){display:none}
  .nnlite-ledger tbody tr{display:flex;flex-wrap:wrap;padding:.4em 0}
  .nnlite-ledger td:nth-child(-n+2){flex:0 0 100%;box-sizing:border-box}
  .nnlite-ledger td:nth-child(3)::before{content:"measured ";opacity:.7}
  .nnlite-ledger td:nth-child(4)::before{content:"expected ";opacity:.7}
  .nnlite-ledger td:nth-child(n+3){padding-top:0!important}
}
"""

_STYLE = """
.nnlite-links{display:flex;flex-wrap:wrap;gap:.3em 2em;justify-content:space-between;
  max-width:1000px;margin:0 auto;padding:.8em 1em;font:14px system-ui,sans-serif}
.nnlite-links a{color:#0b57d0;text-decoration:underline}
main{max-width:1000px;margin:0 auto}
.jp-InputArea-editor{overflow-x:auto}
body img,body svg{max-width:100%;height:auto}
math[display=block]{overflow-x:auto;overflow-y:hidden;max-width:100%;padding:.2em 0}
.jp-RenderedHTMLCommon table{max-width:100%}
.jp-RenderedMarkdown table{display:block;overflow-x:auto}
.jp-OutputArea-output{overflow-x:auto}
.jp-RenderedImage img,.jp-RenderedHTML figure img{max-width:100%;height:auto}
.nnlite-folded>summary{cursor:pointer;padding:.2em .6em .2em calc(64px + .6em);opacity:.75;
  font:14px system-ui,sans-serif}
.celltag_optional{position:relative}
.celltag_optional::before{content:"★";position:absolute;left:-.1em;top:.35em;color:#a86b00}
.jp-MarkdownCell .celltag_optional{position:static}
.jp-MarkdownCell:has(.celltag_optional){position:relative}
@media (max-width:700px){
  body.jp-Notebook,body .jp-Notebook{padding:0 .4em}
  .jp-InputPrompt,.jp-OutputPrompt,.jp-InputArea-prompt,.jp-OutputArea-prompt{display:none!important}
  .jp-Cell{padding-left:0!important;padding-right:0!important}
  .jp-Cell.celltag_optional,.jp-Cell:has(.celltag_optional){padding-left:1.1em!important}
  .nnlite-folded>summary{padding-left:.2em}
  .highlight pre{overflow-x:auto}
}
"""


def write(path: Path, text: str) -> None:
    """Replace a file in one step: a reader never sees half of it, nor does a crash leave half."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        # What UTF-8 has no code for (half a pair, from a lecture's output) becomes "?".
        text = text.encode("utf-8", "replace").decode("utf-8")
        temporary.write_text(text.rstrip("\n") + "\n", encoding="utf-8", newline="\n")
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def write_lecture(result: Result, lectures: Sequence[Lecture], folder: Path) -> None:
    """Write the executed notebook, signed, and its page; each whole or not at all."""
    if result.notebook is None:
        return
    import nbformat

    name = result.lecture.name
    text = nbformat.writes(result.notebook)
    write(folder / f"{name}.ipynb", text)
    sign(folder / f"{name}.ipynb")
    write(folder / f"{name}.html", page(result, lectures, folder))


def sign(path: Path) -> bool:
    """Sign a notebook that was just run here, so that Jupyter trusts its outputs.

    Returns whether that was possible: where the user's folder of Jupyter cannot be written, a
    notebook opens without a signature, and its sliders move after it has been run once more.
    """
    import nbformat
    from nbformat.sign import NotebookNotary

    notebook = nbformat.read(path, as_version=4)
    with (
        _signing,
        warnings.catch_warnings(),
        contextlib.suppress(OSError, sqlite3.Error),
    ):
        warnings.simplefilter("ignore")
        for action in ("sign", "check_signature"):  # a new one reads what was really stored
            notary = NotebookNotary()
            with contextlib.closing(notary.store):
                signed = getattr(notary, action)(notebook)
        return bool(signed)
    return False


def page(result: Result, lectures: Sequence[Lecture], folder: Path) -> str:
    """The page of an executed lecture."""
    from jinja2 import DictLoader
    from nbconvert import HTMLExporter

    exporter = HTMLExporter(
        extra_loaders=[DictLoader({"nnlite.html.j2": _TEMPLATE})], template_file="nnlite.html.j2"
    )
    resources = {
        "metadata": {"name": result.lecture.title or result.lecture.name},
        "nnlite": {"style": _STYLE + NARROW, "links": _links(result.lecture, lectures, folder)},
    }
    notebook = _told_to_the_template(result.notebook)
    written, _ = exporter.from_notebook_node(notebook, resources=resources)
    written = typeset(written)
    return written.replace("</head>", f"<style>{font(written)}</style></head>", 1)


def _told_to_the_template(notebook: Any) -> Any:
    """A copy of a notebook in which cells say what folds, and outputs what they show."""
    notebook = copy.deepcopy(notebook)
    for cell in notebook.cells:
        if cell.cell_type != "code":
            continue
        tags = cell.metadata.get("tags", [])
        if "hide-input" in tags or cell.metadata.get("jupyter", {}).get("source_hidden"):
            cell.metadata["nnlite_folded"] = "solution" if "solution" in tags else "code"
        given = cell.metadata.get("nnlite", {}).get("alt", [])
        texts = iter([given] if isinstance(given, str) else given)
        for output in cell.outputs:
            data = output.get("data") or {}
            if "image/png" not in data and "<img" not in str(data.get("text/html", "")):
                continue
            words = html.escape(str(next(texts, "")))
            if words:
                output.metadata["nnlite_alt"] = f'alt="{words}" '
                output.metadata["nnlite_label"] = f'role="group" aria-label="{words}"'
    return notebook


def _links(lecture: Lecture, lectures: Sequence[Lecture], folder: Path) -> str:
    """Links to the lectures before and after and to the table of contents."""
    names = [x.name for x in lectures]
    here = names.index(lecture.name)
    before = lectures[here - 1] if here > 0 else None
    after = lectures[here + 1] if here + 1 < len(names) else None
    parts = [
        f'<a rel="prev" href="{href(before.name)}.html">← {title_of(before)}</a>' if before else "",
        f'<a href="../index.html">all lectures</a> · <a href="{href(lecture.name)}.ipynb">'
        "notebook</a>",
        f'<a rel="next" href="{href(after.name)}.html">{title_of(after)} →</a>' if after else "",
    ]
    inside = "".join(f"<span>{part}</span>" for part in parts)
    return f'<nav class="nnlite-links" aria-label="lectures">{inside}</nav>'


def title_of(lecture: Lecture) -> str:
    """The title of a lecture as HTML."""
    return html.escape(lecture.title or lecture.name)


def href(name: str) -> str:
    """The name of a lecture as part of an address."""
    from urllib.parse import quote

    return quote(name)
