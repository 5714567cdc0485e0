"""One voice: the rules of docs/style.md that neither ruff nor mypy can see.

A rule takes a file and yields its complaints, each with a line. Every rule is tried on the package,
on a file that breaks it, and on one that keeps it.
"""

import ast
import re
from collections import defaultdict
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

import nnlite

PACKAGE = Path(nnlite.__file__).parent
FILE_LINES, FUNCTION_LINES = 350, 60

# What breaks a rule for a reason: (rule, file, words of the complaint) -> reason.
ARGUED = {
    ("a_file_is_one_sitting", "engine/spellings.py", "lines"): "a table, to look up in",
    ("an_error_is_a_sentence", "checks/gradients/checkers.py", "report()"): "a report in lines",
    ("an_error_is_a_sentence", "checks/closed_forms/claims.py", "lines"): "a report in lines",
    ("an_error_is_a_sentence", "cli/problems.py", "distributions"): "a command to copy",
    ("an_error_is_a_sentence", "cli/problems.py", "]"): "a command to copy, in brackets",
    ("an_error_is_a_sentence", "cli/reading.py", "{error}"): "the system's words",
    ("an_error_is_a_sentence", "cli/reading.py", "{said"): "nbformat's words",
    ("an_error_is_a_sentence", "cli/kernel.py", "evalue"): "the kernel's words",
}

FUNCTION = (ast.FunctionDef, ast.AsyncFunctionDef)


class File(NamedTuple):
    """A source file; the functions of the whole package that make messages, with their files."""

    tree: ast.Module
    lines: list[str]
    messages: dict[str, list[tuple[ast.FunctionDef, ast.Module]]]


def documented_in(tree):
    """Every module, class and function of a file that has a docstring, with its line."""
    for node in ast.walk(tree):
        may = isinstance(node, (ast.Module, ast.ClassDef, *FUNCTION))
        if may and (text := ast.get_docstring(node, clean=False)):
            yield node.body[0].lineno, text.strip()


# --- the rules ---------------------------------------------------------------------------------


def a_file_is_one_sitting(file):
    if len(file.lines) > FILE_LINES:
        yield FILE_LINES, f"{len(file.lines)} lines: split by meaning, {FILE_LINES} are enough"


def a_function_does_one_thing(file):
    """Count the lines of its body, with its comments and without its docstring."""
    for node in ast.walk(file.tree):
        if isinstance(node, FUNCTION):
            body = node.body[ast.get_docstring(node) is not None :]
            length = node.end_lineno - body[0].lineno + 1 if body else 0
            if length > FUNCTION_LINES:
                yield node.lineno, f"{node.name}: {length} lines, {FUNCTION_LINES} are enough"


NOT_FIRST = re.compile(
    r"(Returns?|Tell whether|Computes|Calculates|Gets|Sets|Gives|Makes|Creates|Raises|Draws|Adds|"
    r"Applies|Shows|Takes|Writes|Reads|Runs|This (?:function|method|class|module))\b"
)


def a_docstring_begins_with_what_one_gets_or_with_what_is_done(file):
    for line, text in documented_in(file.tree):
        if found := NOT_FIRST.match(text):
            yield line, f"{found[0]!r} begins a docstring"


# What a backtick may belong to: a role such as :class:`Tensor`, code, a link `text <address>`_.
MARKED = re.compile(r":\w+:`[^`]+`(?!`)|(?<![`:])``[^`]+``(?!`)|`[^`]+`_")


def code_in_a_docstring_stands_in_two_backticks(file):
    for line, text in documented_in(file.tree):
        for stray in re.findall(".*`.*", MARKED.sub("", text)):
            yield line, f"a backtick that belongs to no code and no role: {stray.strip()}"


HAS_MESSAGE = re.compile(r"(Error|Mismatch|Problem|Warning|\bwarn)$")
SENTENCE_END = re.compile(r"[.?!][\")']*\s*$")


def an_error_is_a_sentence(file):
    """Follow each message to its last words, through variables and the functions that make it."""

    def look(node, scope):
        if isinstance(node, ast.Call) and HAS_MESSAGE.search(ast.unparse(node.func)):
            for end in any_of(given_here(node.args[:1], scope), scope, file):
                if not SENTENCE_END.search(end):
                    yield node.lineno, f"a message ends with {end[-40:]!r}, not a full stop"
        for child in ast.iter_child_nodes(node):
            yield from look(child, child if isinstance(child, FUNCTION) else scope)

    yield from look(file.tree, file.tree)


def given_here(arguments, scope):
    """All but a parameter: such a message was written by the caller."""
    nodes = ast.walk(scope.args) if isinstance(scope, FUNCTION) else ()
    own = [node.arg for node in nodes if isinstance(node, ast.arg)]
    return [a for a in arguments if not (isinstance(a, ast.Name) and a.id in own)]


def endings(node, scope, file):
    """Every text that an expression may end with; {code} where that cannot be seen."""
    match node:
        case ast.Constant(value=None):
            pass
        case ast.Constant(value=str(text)):
            yield text
        case (
            ast.FormattedValue(value=value)
            | ast.Call(func=ast.Attribute(value=value, attr="strip" | "rstrip"))
        ):
            yield from endings(value, scope, file)
        case ast.JoinedStr(values=parts):
            yield from last_of(parts, scope, file)
        case ast.BinOp(op=ast.Add(), left=left, right=right):
            yield from last_of([left, right], scope, file)
        case ast.IfExp(body=one, orelse=other):
            yield from any_of([one, other], scope, file)
        case ast.BoolOp(values=values):
            yield from any_of(values, scope, file)
        case ast.Name(id=name) if values := values_of(name, scope) or values_of(name, file.tree):
            yield from any_of(values, scope, file)
        case ast.Call(func=ast.Attribute(value=table, attr="get"), args=[_, default]):
            yield from any_of([table, default], scope, file)
        case ast.Dict(values=values):
            yield from any_of(values, scope, file)
        case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name)) if name in file.messages:
            for function, tree in file.messages[name]:
                made = [n.value for n in ast.walk(function) if isinstance(n, ast.Return)]
                yield from any_of(made, function, file._replace(tree=tree))
        case _:
            yield f"{{{ast.unparse(node)}}}"


def any_of(nodes, scope, file):
    for node in nodes:
        yield from endings(node, scope, file)


def last_of(parts, scope, file):
    for end in endings(parts[-1], scope, file):
        if end == "" and parts[:-1]:  # a hint that may be missing: what stands before it ends
            yield from last_of(parts[:-1], scope, file)
        else:
            yield end


def values_of(name, scope):
    """What a function, or the module, assigns to a name."""
    return [
        node.value
        for node in ast.walk(scope)
        if isinstance(node, ast.Assign | ast.AugAssign)
        for target in getattr(node, "targets", None) or [node.target]
        if isinstance(target, ast.Name) and target.id == name
    ]


RULES = (
    a_file_is_one_sitting,
    a_function_does_one_thing,
    a_docstring_begins_with_what_one_gets_or_with_what_is_done,
    code_in_a_docstring_stands_in_two_backticks,
    an_error_is_a_sentence,
)


# --- the rules on the package ------------------------------------------------------------------


def file_of(source, others=()):
    """A file from its text, beside the trees of others whose functions it may call."""
    tree = ast.parse(source)
    messages = defaultdict(list)
    for node, owner in ((n, t) for t in (tree, *others) for n in ast.walk(t)):
        returns = node.returns if isinstance(node, FUNCTION) else None
        if returns and "str" in ast.unparse(returns).split(" | "):
            messages[node.name].append((node, owner))
    return File(tree, source.splitlines(), messages)


@cache
def files():
    sources = {
        p.relative_to(PACKAGE).as_posix(): p.read_text("utf-8") for p in PACKAGE.rglob("*.py")
    }
    trees = [ast.parse(source) for source in sources.values()]
    messages = file_of("", trees).messages
    return {
        name: File(tree, source.splitlines(), messages)
        for (name, source), tree in zip(sources.items(), trees, strict=True)
    }


@pytest.mark.parametrize("rule", RULES)
def test_the_package_keeps_its_rules(rule):
    argued = {(file, words): False for r, file, words in ARGUED if r == rule.__name__}
    complaints = []
    for name, file in sorted(files().items()):
        for line, complaint in rule(file):
            excuse = [key for key in argued if key[0] == name and key[1] in complaint]
            argued |= dict.fromkeys(excuse, True)
            if not excuse:
                complaints.append(f"nnlite/{name}:{line} {complaint}")
    assert complaints == []
    assert all(argued.values()), f"what keeps the rule need not be argued: {argued}"


# A file that breaks a rule in its last line or lines, and one that keeps it.
PLANTED = {
    a_file_is_one_sitting: ("x = 0\n" * 351, "x = 0\n" * 350),
    a_function_does_one_thing: (
        "def f():\n" + "    g()\n" * 61,
        'def f():\n    """Do.\n\n    At length.\n    """\n' + "    g()\n" * 60,
    ),
    a_docstring_begins_with_what_one_gets_or_with_what_is_done: (
        'class C:\n    """A class."""\n\n    def f():\n        """Return the mean."""',
        'def f():\n    """The mean."""\n\ndef g():\n    """Draw a sample and return its mean."""',
    ),
    code_in_a_docstring_stands_in_two_backticks: (
        'def f(x):\n    """Mean of `x`, ``y``."""',
        'def f(x):\n    """Mean of ``x``, :math:`g(x)`, :func:`h` and `a page <https://x.org>`_."""',
    ),
}
BROKEN_MESSAGES = [
    'raise ValueError("x is negative")',
    'raise ValueError(f"x must be positive, got {x}")',
    'raise ValueError("x is negative" + (", so there." if x else "; or not"))',
    'warnings.warn("x is " "negative", stacklevel=2)',
    'def f(x):\n    why = "x is."\n    why += " negative"\n    raise nnlite.OddError(why)',
    'D = {1: "x is negative."}\nraise ValueError("No. " + D.get(x, "or not"))',
    'def why() -> str:\n    return "it is negative"\n\nraise TypeError(f"No: {why()}")',
    'hint = " Try y" if y else ""\nraise TypeError("x is negative." + hint)',
    'hint = " Try y." if y else ""\nraise TypeError("x is negative" + hint)',
]
SOUND_MESSAGES = [
    'raise ValueError("x is negative.")',
    'raise ValueError(f"x must be positive, got {x}; take its absolute value.")',
    'raise ValueError("x is negative. (Did you mean y?)")',
    'hint = " Try y." if y else ""\nraise TypeError("x is negative." + hint)',
    'def why() -> str:\n    return "it is negative." if x else "Is it?"\n\nraise TypeError(why())',
    'D = {1: "x is negative."}\nraise ValueError(("No. " + D.get(x, "")).rstrip())',
    "def f(message):\n    raise ValueError(message)",
    "raise StopIteration",
]


@pytest.mark.parametrize("rule", PLANTED)
def test_a_planted_violation_is_named(rule):
    broken, sound = PLANTED[rule]
    assert len(list(rule(file_of(broken)))) == 1
    assert list(rule(file_of(sound))) == []


@pytest.mark.parametrize("text", [":math:``x`", ":math:`x``", "``x`", ":math:``x``, ``y``"])
def test_a_role_or_code_that_is_not_closed_is_named(text):
    file = file_of(f'"""The mean of {text}."""')
    assert list(code_in_a_docstring_stands_in_two_backticks(file))


@pytest.mark.parametrize("source", BROKEN_MESSAGES)
def test_no_way_to_leave_out_the_full_stop_is_overlooked(source):
    assert list(an_error_is_a_sentence(file_of(source)))


@pytest.mark.parametrize("source", SOUND_MESSAGES)
def test_a_message_that_ends_is_left_alone(source):
    assert list(an_error_is_a_sentence(file_of(source))) == []


def test_every_rule_is_tried_on_a_planted_violation():
    assert set(RULES) == {*PLANTED, an_error_is_a_sentence}
