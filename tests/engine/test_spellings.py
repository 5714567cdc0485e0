"""What is advised instead of PyTorch's names runs, and is right."""

import re

import numpy as np
import pytest

import nnlite
import nnlite.nn.functional as F
from nnlite.engine import advice
from nnlite.engine.spellings import EXPRESSIONS, IN_PLACE, NOTES
from nnlite.engine.suggestions import torch_advice


def names():
    """What the expressions call things."""
    rng = np.random.default_rng(0)
    t = nnlite.Tensor(np.array([[0.5, 0.2], [0.2, 0.7]]), requires_grad=True)
    return {
        "np": np,
        "nnlite": nnlite,
        "t": t,
        "u": nnlite.Tensor(np.array([[0.6, 0.1], [0.3, 0.9]])),
        "v": nnlite.Tensor(np.array([[1.5, 2.0], [0.5, 1.0]])),
        "A": nnlite.Tensor(rng.random((2, 3))),
        "b": nnlite.Tensor(rng.random(3)),
        "x": nnlite.Tensor(rng.random((1, 1, 4, 4))),
        "loss": np.sum(t),
        "axis": 0,
        "axes": (1, 0),
        "shape": (2, 2),
        "n": 1,
        "start": 0,
        "length": 1,
        "low": 0.1,
        "high": 0.6,
        "value": 0.5,
        "mask": np.array([[True, False], [False, True]]),
        "index": np.array([[1, 0], [0, 1]]),
        "rows": np.array([1, 0]),
        "edges": np.array([0.3, 0.6]),
        "values": np.ones((2, 2)),
        "dtype": "float64",
        "rng": rng,
    }


@pytest.mark.parametrize("name", EXPRESSIONS)
def test_every_advised_expression_runs(name):
    space = names()
    if name == "addr":
        space["A"] = nnlite.Tensor(np.ones((3, 3)))
    if name == "addmv":
        space["t"] = nnlite.Tensor(np.ones(2))
    with np.errstate(invalid="ignore"):
        eval(EXPRESSIONS[name], space)


@pytest.mark.parametrize("name", IN_PLACE)
def test_every_advised_edit_runs(name):
    with nnlite.no_grad():
        exec(IN_PLACE[name], names())


@pytest.mark.parametrize("expression", advice._SCIPY.values())
def test_what_is_advised_instead_of_scipy_runs(expression):
    from nnlite.ops.special import gammaln, polygamma

    eval(
        re.split(", (from|with)", expression)[0],
        names() | {"gammaln": gammaln, "polygamma": polygamma},
    )


# ---- the values, with PyTorch as judge --------------------------------------------------------

UNARY = re.compile(r"-?(1 / )?(np\.\w+\()?t\)?(\.m?T)?")

#: name -> the arguments with which torch's method means what the expression says
ARGUMENTS = {
    **{n: ("u",) for n in EXPRESSIONS if re.fullmatch(r"-?[\w.(]*t\b.{1,8}\bu\)?", EXPRESSIONS[n])},
    "addcdiv": ("u", "v", {"value": 0.5}),
    "addcmul": ("u", "v", {"value": 0.5}),
    "addmm": ("u", "v"),
    "clamp": ("low", "high"),
    "clamp_max": ("high",),
    "clamp_min": ("low",),
    "cummax": ("axis",),
    "gather": ("axis", "index"),
    "index_add": ("axis", "rows", "u"),
    "index_select": ("axis", "rows"),
    "lerp": ("u", "value"),
    "logcumsumexp": ("axis",),
    "logsumexp": ("axis",),
    "masked_fill": ("mask", "value"),
    "masked_select": ("mask",),
    "narrow": ("axis", "start", "length"),
    "repeat_interleave": ("n", "axis"),
    "rsub": None,
    "bmm": None,
    "baddbmm": None,
    "scatter_add": ("axis", "index", "u"),
    "softmax": (-1,),
    "log_softmax": (-1,),
    "take_along_dim": ("index", "axis"),
    "unsqueeze": ("axis",),
    "permute": ("axes",),
    "dist": ("u",),
    "logit": (),
    "inverse": (),
    "logdet": (),
    "pinverse": (),
    "det": (),
    "is_same_size": ("u",),
    "equal": ("u",),
    "type_as": ("u",),
    "view_as": ("u",),
    "expand_as": ("u",),
    "matrix_power": ("n",),
    "bucketize": None,
    "xlogy": ("u",),
    "lstsq": None,
    "as_tensor": None,
    "solve": None,
    **{n: () for n, e in EXPRESSIONS.items() if UNARY.fullmatch(e)},
    "frac": (),
    "std_mean": (),
}  # fmt: skip


def test_the_expressions_are_what_torch_computes():
    torch = pytest.importorskip("torch")
    space, compared = names(), 0
    theirs = {k: torch.tensor(getattr(v, "data", v)) for k, v in space.items() if k in "tuv"}
    theirs |= {k: torch.tensor(space[k]) for k in ("mask", "index", "rows")}
    for name, arguments in ARGUMENTS.items():
        method = getattr(theirs["t"], name, None)
        if arguments is None or not callable(method) or name == "std_mean":
            continue
        given = [theirs.get(a, space.get(a, a)) for a in arguments if not isinstance(a, dict)]
        options = {k: v for a in arguments if isinstance(a, dict) for k, v in a.items()}
        expected = method(*given, **options)
        expected = expected[0] if isinstance(expected, tuple) else expected
        with np.errstate(invalid="ignore"):
            found = eval(EXPRESSIONS[name], names())
        expected = expected.numpy() if hasattr(expected, "numpy") else expected
        np.testing.assert_allclose(
            np.array(getattr(found, "data", found)), np.array(expected), rtol=1e-12, err_msg=name
        )
        compared += 1
    assert compared > 60


# ---- where advice is given ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("cat", "np.concatenate([t, u], axis)"),
        ("zeros", "nnlite.Tensor(np.zeros(shape))"),
        ("randn", "rng.normal(size=shape)"),
        ("manual_seed", "nnlite.seed(0)"),
        ("from_numpy", "nnlite.Tensor(values)"),
        ("relu", "nnlite.nn.functional.relu"),
        ("Linear", "nnlite.nn.Linear"),
        ("Adam", "nnlite.optim.Adam"),
        ("exp", "np.exp(t"),
        ("einsum", "np.einsum"),
        ("cuda", "one device"),
        ("device", "one device"),
        ("float32", "np.float32"),
        ("tensr", "nnlite.tensor?"),
        ("Seed", "nnlite.seed?"),
        ("zzz", "See dir(nnlite)"),
        ("T", "t.T"),
        ("detach", "t.detach()"),
        ("FloatTensor", "dtype='float32'"),
        ("Size", "t.shape"),
    ],
)
def test_names_that_the_package_lacks(name, words):
    with pytest.raises(AttributeError, match=re.escape(words)) as caught:
        getattr(nnlite, name)
    assert str(caught.value).startswith(f"module 'nnlite' has no attribute {name!r}.")


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("normalize", "np.linalg.norm(t, axis=-1, keepdims=True)"),
        ("cosine_similarity", "np.linalg.norm"),
        ("relu6", "np.clip(t, 0, 6)"),
        ("mse_los", "functional.mse_loss?"),
        ("exp", "np.exp(t"),
    ],
)
def test_names_that_functional_lacks(name, words):
    with pytest.raises(AttributeError, match=re.escape(words)):
        getattr(F, name)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("clone", "t.copy()"),
        ("mul", "t * u"),
        ("eq", "t == u"),
        ("contiguous", "leave it out"),
        ("masked_fill", "np.where(mask, value, t)"),
        ("index_select", "np.take(t, rows, axis)"),
        ("t", "t.T"),
        ("cuda", "one device"),
        ("to", "t.astype(dtype)"),
        ("int", "t.astype('int32')"),
        ("clamp_", "t[...] = np.clip(t, low, high) inside nnlite.no_grad()"),
        ("exp_", "t[...] = np.exp(t) inside nnlite.no_grad()"),
        ("register_hook", "nnlite.grad(loss, t)"),
        ("nansum", "np.nansum"),
        ("tobytes", "t.data.tobytes()"),
        ("itemsize", "t.data.itemsize"),
    ],
)
def test_names_that_a_tensor_lacks(name, words):
    with pytest.raises(AttributeError, match=re.escape(words)):
        getattr(nnlite.Tensor([1.0]), name)


@pytest.mark.parametrize("name", ["int", "choose", "ab", "tone", "clog", "sine", "cost", "nothing"])
def test_a_name_that_is_not_close_is_not_guessed(name):
    said = torch_advice(name)
    assert "Did you mean" not in said
    assert "t.sin" not in said
    assert "t.cos" not in said


def test_torchs_names_get_an_answer():
    """Of all public methods of torch.Tensor, those without a word here are rarities."""
    torch = pytest.importorskip("torch")
    t = nnlite.Tensor([[1.0]])
    public = [n for n in dir(torch.Tensor) if not n.startswith("_") and not hasattr(t, n)]
    silent = [
        n for n in public if "see dir" in torch_advice(n) or "Did you mean" in torch_advice(n)
    ]
    assert len(silent) < len(public) / 3, silent


def test_notes_are_clauses():
    assert not [n for n, text in NOTES.items() if text.endswith(".") or not text.strip()]
    assert not set(NOTES) & set(EXPRESSIONS)


def test_private_names_are_left_alone():
    """Inspection asks for __wrapped__ and the like all day."""
    for owner in (nnlite, F, nnlite.Tensor([1.0])):
        with pytest.raises(AttributeError, match=r"'__wrapped__'\.$"):
            owner.__wrapped__


# ---- arguments and functions ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda t: t.sum(dim=1), "t.sum does not take dim=. NumPy's word is axis: t.sum(axis=1)."),
        (lambda t: t.mean(dim=0), "t.mean(axis=0)"),
        (lambda t: t.mean(axis=1, keepdim=True), "t.mean(keepdims=True)"),
        (lambda t: t.max(dim=1), "positions are t.argmax(axis=1)"),
        (lambda t: t.argmax(dim=1), "t.argmax(axis=1)"),
        (lambda t: t.any(dim=1), "t.any(axis=1)"),
        (lambda t: t.max(t), "np.maximum(t, other)"),
        (lambda t: t.std(unbiased=True), "ddof=1"),
        (lambda t: t.var(correction=1), "ddof"),
        (lambda t: t.sort(descending=True), "-np.sort(-t)"),
        (lambda t: t.argsort(descending=True), "(-t).argsort()"),
        (lambda t: t.cumsum(dim=0), "t.cumsum(axis=0)"),
        (lambda t: t.prod(dim=0), "t.prod(axis=0)"),
        (lambda t: t.squeeze(dim=0), "t.squeeze(axis=0)"),
        (lambda t: t.flatten(1), "t.reshape(len(t), -1)"),
        (lambda t: t.flatten(start_dim=1), "t.reshape(len(t), -1)"),
        (lambda t: t.repeat(2, 1, 1), "np.tile(t, sizes)"),
        (lambda t: t.diagonal(dim1=0, dim2=1), "axis1"),
        (lambda t: t.sum(dtype="float64"), ".astype()"),
        (lambda t: t.backward(create_graph=True), "nnlite.grad(loss, inputs, create_graph=True)"),
        (lambda t: t.backward(inputs=[t]), "nnlite.grad(loss, inputs)"),
    ],
)
def test_arguments_that_only_torch_takes(call, words):
    t = nnlite.Tensor(np.ones((2, 3)))
    with pytest.raises(TypeError, match=re.escape(words)):
        call(t)


def test_two_axes_given_to_transpose():
    t = nnlite.Tensor(np.arange(24.0).reshape(2, 3, 4))
    with pytest.raises(ValueError, match=r"3 axes.*np\.swapaxes\(t, 0, 1\)"):
        t.transpose(0, 1)
    for axes in ((0, 1), (-2, -1), (0, -1)):
        with pytest.warns(UserWarning, match=r"leaves the tensor as it is.*np\.swapaxes"):
            assert t[0].transpose(*axes).shape == (3, 4)
    assert t[0].transpose(1, 0).shape == (4, 3)
    assert t[0].transpose((0, 1)).shape == (3, 4)  # a tuple is NumPy's way
    assert t.transpose(2, 0, 1).shape == (4, 2, 3)
    with pytest.raises(TypeError, match=r"np\.swapaxes\(t, 0, 1\)"):
        t.transpose(dim0=0, dim1=1)


def test_copies_side_by_side():
    t = nnlite.Tensor(np.ones((2, 3)))
    with pytest.raises((ValueError, IndexError), match=r"torch's repeat, are np\.tile"):
        t.repeat(2, 5)
    with pytest.raises(ValueError, match=r"torch's repeat, are np\.tile"):
        t.repeat((2, 1))


def test_pythons_own_errors_name_the_class_that_users_know():
    with pytest.raises(TypeError, match=r"Tensor\.sqrt\(\) takes 1"):
        nnlite.Tensor([1.0]).sqrt(2)


def test_functions_of_scipy():
    special = pytest.importorskip("scipy.special")
    t = nnlite.Tensor([0.5, 0.2], requires_grad=True)
    with pytest.raises(TypeError, match=r"^expit has no derivative here.*Use t\.sigmoid\(\)"):
        special.expit(t)
    with pytest.raises(TypeError, match=r"Use gammaln\(t\), from nnlite\.ops\.special"):
        special.gammaln(t)
    with pytest.raises(TypeError, match=r"^erf has no derivative here"):
        special.erf(t)


def test_rounding_a_loss():
    loss = nnlite.Tensor(1.23456, requires_grad=True)
    assert round(loss, 3).item() == 1.235
    assert round(loss).item() == 1.0
    assert loss.round(2).item() == 1.23


def test_conversions_to_dtypes_without_gradients():
    t = nnlite.Tensor([1.5, 2.5], requires_grad=True)
    for dtype in (int, bool, "int8", np.uint64):
        cast = t.astype(dtype)
        assert cast.dtype == dtype
        assert not cast.requires_grad
        np.testing.assert_array_equal(cast.data, t.data.astype(dtype))
    if hasattr(np, "astype"):
        assert not np.astype(t, np.int64).requires_grad
        assert np.astype(t, np.float32).requires_grad
    parameter = nnlite.nn.Parameter([1.5])
    assert parameter.astype(int).dtype == int
    with pytest.raises(TypeError, match="complex"):
        t.astype(complex)
