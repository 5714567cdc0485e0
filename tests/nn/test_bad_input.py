"""Bad input to layers and losses: the right answer, or an error that says what to do."""

import numpy as np
import pytest

import nnlite
from nnlite import nn
from nnlite.nn import functional as F

RNG = np.random.default_rng(0)
IMAGES = RNG.integers(0, 256, (2, 4, 6, 6), dtype=np.uint8)

#: layers that compute with their input, and an input of no images
LAYERS = {
    "Linear": (lambda: nn.Linear(6, 2, rng=0), (0, 6)),
    "Conv2d": (lambda: nn.Conv2d(4, 2, 3, rng=0), (0, 4, 6, 6)),
    "ConvTranspose2d": (lambda: nn.ConvTranspose2d(4, 2, 3, rng=0), (0, 4, 6, 6)),
    "InstanceNorm2d": (lambda: nn.InstanceNorm2d(4), (0, 4, 6, 6)),
    "LayerNorm": (lambda: nn.LayerNorm(6), (0, 6)),
    "plain LayerNorm": (lambda: nn.LayerNorm(6, elementwise_affine=False), (0, 6)),
    "AvgPool2d": (lambda: nn.AvgPool2d(2), (0, 4, 6, 6)),
    "AdaptiveAvgPool2d": (lambda: nn.AdaptiveAvgPool2d((2, 3)), (0, 4, 6, 6)),
    "MaxPool2d": (lambda: nn.MaxPool2d(2), (0, 4, 6, 6)),
    "Upsample": (lambda: nn.Upsample(scale_factor=2), (0, 4, 6, 6)),
    "bilinear Upsample": (lambda: nn.Upsample(scale_factor=2, mode="bilinear"), (0, 4, 6, 6)),
    "PixelShuffle": (lambda: nn.PixelShuffle(2), (0, 4, 6, 6)),
    "ZeroPad2d": (lambda: nn.ZeroPad2d(1), (0, 4, 6, 6)),
    "ReflectionPad2d": (lambda: nn.ReflectionPad2d(1), (0, 4, 6, 6)),
    "Flatten": (lambda: nn.Flatten(), (0, 4, 6, 6)),
    "Unflatten": (lambda: nn.Unflatten(1, (2, 3)), (0, 6)),
    "LeakyReLU": (lambda: nn.LeakyReLU(0.2), (0, 6)),
    "PReLU": (lambda: nn.PReLU(), (0, 6)),
    "ELU": (lambda: nn.ELU(), (0, 6)),
    "Sigmoid": (lambda: nn.Sigmoid(), (0, 6)),
    "Tanh": (lambda: nn.Tanh(), (0, 6)),
    "Softplus": (lambda: nn.Softplus(), (0, 6)),
    "Softmax": (lambda: nn.Softmax(dim=1), (0, 6)),
}
#: these only move pixels, so bytes may stay bytes
MOVERS = {"Upsample", "PixelShuffle", "ZeroPad2d", "ReflectionPad2d", "Flatten"}


@pytest.mark.parametrize("name", LAYERS)
def test_no_images_give_no_results_and_no_gradients(name):
    make, shape = LAYERS[name]
    x = nnlite.Tensor(np.zeros(shape, np.float32), requires_grad=True)
    y = make()(x)
    assert y.size == 0
    y.sum().backward()
    assert x.grad.shape == shape


@pytest.mark.parametrize("name", sorted(set(LAYERS) - {"Unflatten"}))
def test_images_of_bytes_count_as_their_numbers(name):
    layer = LAYERS[name][0]()
    bytes_, floats = layer(IMAGES), layer(IMAGES.astype(np.float32))
    np.testing.assert_array_equal(bytes_.data, floats.data)
    assert bytes_.dtype == (np.uint8 if name in MOVERS else np.float32)
    marks = IMAGES > 127
    np.testing.assert_array_equal(layer(marks).data, layer(marks.astype(np.float32)).data)


@pytest.mark.parametrize("affine", [True, False])
def test_batch_norm_takes_bytes_with_and_without_parameters(affine):
    y = nn.BatchNorm2d(4, affine=affine)(IMAGES)
    assert y.dtype == np.float32
    np.testing.assert_allclose(y.data.mean(axis=(0, 2, 3)), 0, atol=1e-5)
    with nnlite.default_dtype("float64"):
        assert nn.BatchNorm2d(4, affine=False)(IMAGES).dtype == np.float64


@pytest.mark.parametrize("name", sorted(set(LAYERS) - {"Unflatten"}))
def test_views_with_any_strides_are_read_by_index(name):
    layer = LAYERS[name][0]()
    base = RNG.normal(size=(3, 7, 13, 8)).astype(np.float32)
    view = base.transpose(0, 3, 1, 2)[::-1, ::2, ::-1, ::-2][:, :, :6, :6]
    assert view.shape == (3, 4, 6, 6)
    np.testing.assert_allclose(layer(view).data, layer(view.copy()).data, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", sorted(set(LAYERS) - {"Unflatten"}))
def test_nan_reaches_the_result_and_spares_the_other_images(name):
    layer = LAYERS[name][0]()
    x = RNG.normal(size=(3, 4, 6, 6)).astype(np.float32)
    x[1, 2, 3, 3] = np.nan
    y = layer(x).data
    assert np.isnan(y[1]).any()
    assert np.isfinite(y[[0, 2]]).all()


def test_geometry_is_checked_when_the_layer_is_made():
    for make in (nn.MaxPool2d, nn.AvgPool2d):
        with pytest.raises(ValueError, match="kernel_size must be an integer of at least 1"):
            make(0)
        with pytest.raises(TypeError, match="kernel_size must be an integer or a pair of them"):
            make("a")
    with pytest.raises(ValueError, match="stride must be an integer of at least 1"):
        nn.MaxPool2d(2, stride=0)
    with pytest.raises(ValueError, match="padding must be an integer of at least 0"):
        nn.AvgPool2d(2, padding=-1)
    with pytest.raises(ValueError, match="output_size"):
        nn.AdaptiveAvgPool2d(0)
    with pytest.raises(ValueError, match="dilation must be an integer of at least 1"):
        nn.MaxPool2d(2, dilation=0)
    with pytest.raises(ValueError, match="mode must be 'nearest', 'nearest-exact', 'bilinear'"):
        nn.Upsample(scale_factor=2, mode="trilinear")
    with pytest.raises(ValueError, match="align_corners is for 'bilinear' and 'bicubic' only"):
        nn.Upsample(scale_factor=2, align_corners=True)
    with pytest.raises(ValueError, match="one width"):
        nn.ZeroPad2d(1.5)
    with pytest.raises(ValueError, match="one width, an integer"):
        nn.ReflectionPad2d(True)
    with pytest.raises(ValueError, match=r"normalized_shape\[1\] must be an integer of at least 1"):
        nn.LayerNorm((3, 0))
    with pytest.raises(ValueError, match="num_parameters"):
        nn.PReLU(0)
    with pytest.raises(ValueError, match="beta must be a finite number greater than 0"):
        nn.Softplus(beta=0)


def test_axes_that_are_not_there_are_refused_instead_of_wrapped_around():
    with pytest.raises(ValueError, match="start_dim=5 is no axis of an array with 2 axes"):
        nn.Flatten(5)(np.zeros((2, 3)))
    with pytest.raises(ValueError, match="start_dim=1 is no axis"):
        nn.Flatten()(np.zeros(()))
    with pytest.raises(ValueError, match="dim=3 is no axis of an array with 2 axes"):
        nn.Unflatten(3, (2, 2))(np.zeros((2, 4)))


@pytest.mark.parametrize("factor", [0, -2, np.nan, np.inf, (2, 2, 2)])
def test_images_are_enlarged_by_positive_numbers_only(factor):
    with pytest.raises(
        TypeError if isinstance(factor, tuple) else ValueError, match="scale_factor"
    ):
        nn.Upsample(scale_factor=factor)(np.zeros((1, 1, 4, 4)))


def test_batch_norm_without_statistics_to_use_is_an_error_and_not_nan():
    x = np.ones((3, 2), np.float32)
    with pytest.raises(ValueError, match="running_mean is needed"):
        F.batch_norm(x, None, None)
    with pytest.raises(ValueError, match="running_var is needed"):
        F.batch_norm(x, np.zeros(2), None)
    with pytest.raises(ValueError, match=r"running_mean must have shape \(2,\)"):
        F.batch_norm(x, np.zeros(3), np.ones(3))


def test_losses_refuse_weights_and_targets_that_do_not_belong():
    z = np.zeros((3, 2), np.float32)
    with pytest.raises(ValueError, match=r"weight must have shape \(2,\)"):
        F.cross_entropy(z, np.array([0, 1, 1]), weight=np.ones(3))
    with pytest.raises(ValueError, match="integer classes"):
        F.cross_entropy(z, np.array([0.0, 1.0, 1.0]))
    with pytest.raises(ValueError, match="label_smoothing must be a number from 0 to 1"):
        F.cross_entropy(z, np.array([0, 1, 1]), label_smoothing=2.0)
    with pytest.raises(ValueError, match="integer classes"):
        F.nll_loss(z, np.array([0.0, 1.0, 1.0]))
    for weight in (np.ones(3), np.ones((2, 3, 2))):
        with pytest.raises(ValueError, match="does not broadcast to the loss"):
            F.binary_cross_entropy_with_logits(z, z, weight=weight)


def test_mixed_dtypes_are_refused_by_name():
    x, w = np.zeros((1, 2, 5, 5), np.float32), np.zeros((2, 2, 3, 3), np.float32)
    with pytest.raises(TypeError, match="the weight is float32 but bias is float64"):
        F.conv2d(x, w, np.zeros(2))
    with pytest.raises(TypeError, match="the weight is float32 but bias is float64"):
        F.linear(x[0, 0], w[0, 0, 0, :1].repeat(5)[None], np.zeros(1))


def test_an_unknown_layer_says_what_to_do():
    with pytest.raises(AttributeError, match=r"nnlite\.nn has no 'Transformer'.*forward"):
        _ = nn.Transformer


@pytest.mark.parametrize("name", [*LAYERS, "BatchNorm1d", "BatchNorm2d"])
def test_lists_of_numbers_are_taken(name):
    norms = {
        "BatchNorm1d": (nn.BatchNorm1d(6), (0, 6)),
        "BatchNorm2d": (nn.BatchNorm2d(4), IMAGES.shape),
    }
    layer, shape = norms[name] if name in norms else (LAYERS[name][0](), LAYERS[name][1])
    x = RNG.random((2, 6) if len(shape) == 2 else (2, 4, 6, 6)).astype(np.float32)
    np.testing.assert_allclose(layer(x.tolist()).data, layer(x).data, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"weight": np.ones((4, 2, 3))}, r"weight must be \(C, F/groups, kh, kw\); got shape"),
        ({"weight": np.ones((3, 2, 3, 3))}, "have 4 channels, the weight of shape .* takes 3"),
        ({"groups": 3}, "groups must divide the 4 channels of the images; got groups=3"),
        ({"bias": np.ones(3)}, r"bias must have shape \(2,\), one value for each output channel"),
    ],
)
def test_a_transposed_convolution_names_itself_in_its_errors(arguments, message):
    with pytest.raises(ValueError, match=f"conv_transpose2d: .*{message}"):
        F.conv_transpose2d(IMAGES, **{"weight": np.ones((4, 2, 3, 3)), **arguments})


class _Sparse:
    """What a sparse matrix looks like from outside."""

    shape, ndim = (2, 2), 2

    def toarray(self):
        return np.eye(2)


#: every layer that takes data, and every loss with the rest of its arguments
TAKERS = {
    **{name: make for name, (make, _) in LAYERS.items()},
    "BatchNorm2d": lambda: nn.BatchNorm2d(4),
    "Dropout": lambda: nn.Dropout(rng=0),
    "GELU": nn.GELU,
    "SiLU": nn.SiLU,
    "LogSigmoid": nn.LogSigmoid,
    "LogSoftmax": lambda: nn.LogSoftmax(1),
    "Sequential": lambda: nn.Sequential(nn.Flatten(0), nn.ReLU()),
    **{
        name: lambda name=name: lambda x: getattr(nn, name)()(x, np.zeros((2, 4, 6, 6)))
        for name in ("MSELoss", "L1Loss", "SmoothL1Loss", "BCELoss", "BCEWithLogitsLoss")
    },
    **{
        f"target of {name}": lambda name=name: lambda t: getattr(nn, name)()(np.ones(t.shape), t)
        for name in ("MSELoss", "L1Loss", "SmoothL1Loss", "BCELoss", "BCEWithLogitsLoss")
    },
    "CrossEntropyLoss": lambda: lambda x: F.cross_entropy(x, np.zeros((2, 6, 6), int)),
    "NLLLoss": lambda: lambda x: F.nll_loss(x, np.zeros((2, 6, 6), int)),
    "probabilities": lambda: lambda t: F.cross_entropy(np.zeros((2, 4, 6, 6)), t),
    "F.conv2d": lambda: lambda x: F.conv2d(x, np.ones((1, 4, 3, 3))),
    "F.linear": lambda: lambda x: F.linear(x, np.ones((1, 6))),
    "F.pad": lambda: lambda x: F.pad(x, (1, 1)),
    "F.batch_norm": lambda: lambda x: F.batch_norm(x, None, None, training=True),
}
SAMPLE = np.random.default_rng(1).random((2, 4, 6, 6))


@pytest.mark.parametrize("name", sorted(set(TAKERS) - {"Unflatten"}))
def test_arrays_enter_by_one_gate(name):
    take = TAKERS[name]()
    masked = np.ma.masked_array(SAMPLE, SAMPLE > 0.5)
    with pytest.raises(ValueError, match="masked entries"):
        take(masked)
    with pytest.raises(TypeError, match=r"real numbers|text"):
        take(np.full(SAMPLE.shape, "a"))
    with pytest.raises(TypeError, match="objects"):
        take(SAMPLE.astype(object))
    if "target" not in name:
        with pytest.raises(TypeError, match="sparse"):
            take(_Sparse())
    swapped = np.asarray(TAKERS[name]()(SAMPLE.astype(">f8")).data)
    assert swapped.dtype.isnative
    np.testing.assert_array_equal(swapped, TAKERS[name]()(SAMPLE).data)


def test_weights_and_classes_enter_by_that_gate_too():
    z, masked = np.zeros((2, 3)), np.ma.masked_array([0, 1], [0, 1])
    for loss in (F.cross_entropy, F.nll_loss):
        with pytest.raises(ValueError, match=r"the target has masked entries"):
            loss(z, masked)
        with pytest.raises(ValueError, match=r"weight has masked entries"):
            loss(z, np.array([0, 1]), weight=np.ma.masked_array(np.ones(3), [0, 0, 1]))
        assert loss(z, np.array([0, 1], ">i4")).dtype == np.float64
    with pytest.raises(ValueError, match="masked"):
        F.embedding(masked, np.eye(2))
    with pytest.raises(ValueError, match="masked"):
        F.one_hot(masked)
    with pytest.raises(ValueError, match="masked"):
        nn.Parameter(np.ma.masked_array([1.0, 2.0], [0, 1]))
    with pytest.raises(ValueError, match="the buffer 'b' has masked"):
        nn.Module().register_buffer("b", masked)
    layer = nn.Linear(2, 1, rng=0)
    before = layer.weight.data.copy()
    with pytest.raises(RuntimeError, match=r"weight has masked entries(?s:.*)Nothing was loaded"):
        layer.load_state_dict({"weight": np.ma.masked_array([[1, 2]], [[0, 1]]), "bias": [0.0]})
    np.testing.assert_array_equal(layer.weight.data, before)


@pytest.mark.parametrize("name", sorted(set(LAYERS) - {"Unflatten"}))
def test_half_precision_is_computed_to_its_digits(name):
    layer = LAYERS[name][0]()
    half = SAMPLE.astype(np.float16)
    np.testing.assert_allclose(
        layer(half).data.astype(np.float64),
        layer(half.astype(np.float32)).data,
        rtol=4e-3,
        atol=4e-3,
    )


@pytest.mark.parametrize("layer", [nn.ReLU(), nn.Linear(2, 3), nn.Flatten(), nn.Softmax(1)])
def test_several_results_of_a_layer_are_not_stacked_into_the_input_of_the_next(layer):
    class Encoder(nn.Module):
        def forward(self, x):
            return x, x

    x = np.ones((4, 2))
    with pytest.raises(TypeError, match=r"is a tuple of 2, as a layer with several results"):
        nn.Sequential(Encoder(), layer)(x)
    assert len(layer([[1.0, 2.0], [3.0, 4.0]])) == 2
    assert len(layer(((1.0, 2.0), (3.0, 4.0)))) == 2
