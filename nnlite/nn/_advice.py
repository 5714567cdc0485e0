"""What to write instead of names that torch.nn has and nnlite has not."""

import difflib
from collections.abc import Mapping, Sequence

_SIGNAL = "images of one row: x[:, :, None, :], with kernels of one row"

#: Functions of torch.nn.functional -> what to write here.
FUNCTIONS = {
    "adaptive_max_pool2d": "max_pool2d with a kernel that covers a tile",
    "avg_pool1d": f"avg_pool2d on {_SIGNAL}",
    "conv1d": f"conv2d on {_SIGNAL}",
    "conv_transpose1d": f"conv_transpose2d on {_SIGNAL}",
    "max_pool1d": f"max_pool2d on {_SIGNAL}",
    "cosine_similarity": "np.sum(x * y, axis=1) divided by both np.linalg.norm(..., axis=1)",
    "dropout1d": "dropout",
    "gumbel_softmax": "softmax((logits - np.log(-np.log(u))) / tau, dim=1) with u uniform",
    "hardtanh": "np.clip(x, -1, 1)",
    "huber_loss": "smooth_l1_loss, whose values are those divided by beta",
    "kl_div": "np.sum(target * (np.log(target) - input)), divided by len(input)",
    "pairwise_distance": "np.linalg.norm(x - y, axis=1)",
    "pixel_unshuffle": "np.reshape and np.transpose",
    "bilinear": "(x1 @ W) * x2, summed, for each output",
    "group_norm": "layer_norm on x.reshape(N, groups, -1), then back to the shape of x",
    "l2_loss": "mse_loss (the mean of squares), or np.sum((x - t) ** 2)",
    "max_unpool2d": "interpolate(x, ...), or conv_transpose2d with a stride",
    "rrelu": "leaky_relu(x, slope), whose slope is not drawn at random",
    "selu": "1.0507009873554805 * elu(x, 1.6732632423543772)",
    "softmin": "softmax(-x, dim)",
    "softsign": "x / (1 + abs(x))",
    "swish": "silu(x)",
    "upsample": "interpolate(x, ...)",
    "upsample_bilinear": "interpolate(x, ..., mode='bilinear', align_corners=True)",
    "upsample_nearest": "interpolate(x, ...)",
    "leaky_relu_": "leaky_relu(x, ...); nothing here works in place",
    "relu_": "relu(x); nothing here works in place",
}

#: Layers of torch.nn -> what to write here.
LAYERS = {
    "Conv1d": f"Conv2d on {_SIGNAL}",
    "ConvTranspose1d": f"ConvTranspose2d on {_SIGNAL}",
    "BatchNorm3d": "BatchNorm2d on images whose last axes are joined",
    "Dropout1d": "Dropout",
    "Hardtanh": "np.clip(x, -1, 1) in forward",
    "InstanceNorm1d": f"InstanceNorm2d on {_SIGNAL}",
    "KLDivLoss": "np.sum(target * (np.log(target) - input)), divided by len(input)",
    "MaxPool1d": f"MaxPool2d on {_SIGNAL}",
    "AdaptiveAvgPool1d": f"AdaptiveAvgPool2d on {_SIGNAL}",
    "AdaptiveMaxPool2d": "MaxPool2d with a kernel that covers a tile",
    "AvgPool1d": f"AvgPool2d on {_SIGNAL}",
    "Bilinear": "(x1 @ W) * x2, summed, for each output, in forward",
    "CELU": "alpha * F.elu(x / alpha) in forward",
    "GLU": "a, b = np.split(x, 2, axis=-1) and a * F.sigmoid(b) in forward",
    "GaussianNLLLoss": "np.mean((np.log(var) + (target - input) ** 2 / var) / 2)",
    "GroupNorm": "F.layer_norm on x.reshape(N, groups, -1), then back, in forward",
    "HuberLoss": "SmoothL1Loss(beta=delta), whose values are those divided by delta",
    "LazyConv2d": "Conv2d, with the number of channels",
    "LazyLinear": "Linear, with the number of inputs",
    "MaxUnpool2d": "Upsample(...), or ConvTranspose2d with a stride",
    "Mish": "x * np.tanh(F.softplus(x)) in forward",
    "ParameterDict": "setattr, or self.register_parameter(name, p), for each parameter",
    "PixelUnshuffle": "np.reshape and np.transpose in forward",
    "PoissonNLLLoss": "np.mean(np.exp(input) - target * input)",
    "RReLU": "LeakyReLU(slope), whose slope is not drawn at random",
    "DataParallel": "the module itself: threads are shared out inside",
    "ReLU6": "np.clip(x, 0, 6) in forward",
    "SELU": "1.0507009873554805 * F.elu(x, 1.6732632423543772) in forward",
    "Softmax2d": "Softmax(dim=1)",
    "Softmin": "F.softmax(-x, dim) in forward",
    "UpsamplingBilinear2d": "Upsample(..., mode='bilinear', align_corners=True)",
    "UpsamplingNearest2d": "Upsample(...)",
    "ParameterList": "setattr, or self.register_parameter(name, p), for each parameter",
}

#: Functions of torch.nn.utils -> what to write here.
UTILITIES = {
    "clip_grad_norm": "clip_grad_norm_",
    "clip_grad_value": "clip_grad_value_",
    "get_total_norm": "clip_grad_norm_(parameters, np.inf), which returns the norm and clips none",
    "parameters_to_vector": "np.concatenate([p.reshape(-1) for p in model.parameters()])",
    "parametrizations": "spectral_norm(layer) of nn.utils itself",
    "remove_spectral_norm": "a layer without it, whose weight.data[...] = layer.weight.data",
    "vector_to_parameters": "p.data[...] = part.reshape(p.shape) for each parameter",
}

#: Methods of torch's Module -> what to write here.
METHODS = {
    "bfloat16": "model.float() or model.double(): float32 and float64 are what there is",
    "compile": "nothing: loops are compiled already (nnlite doctor says which)",
    "cuda": "nothing: there is only one device, the CPU",
    "get_buffer": "dict(model.named_buffers())[name]",
    "get_parameter": "dict(model.named_parameters())[name]",
    "get_submodule": "dict(model.named_modules())[name]",
    "half": "model.float() or model.double(): float32 and float64 are what there is",
    "pop": "value = model[i]; del model[i]",
    "register_backward_hook": "nnlite.grad(loss, tensor), which works for intermediate results",
    "register_forward_hook": "a subclass whose forward keeps what you want to see",
    "share_memory": "nothing: state_dict() holds plain arrays",
    "type": "model.to('float32') or model.to('float64')",
    "xpu": "nothing: there is only one device, the CPU",
}


def missing(module: str, name: str, known: Sequence[str], instead: Mapping[str, str]) -> str:
    """The message for a name that does not exist."""
    if name in instead:
        return f"{module} has no {name!r}; write {instead[name]}."
    lower = {k.lower(): k for k in known}
    close = difflib.get_close_matches(name.lower(), lower, n=1, cutoff=0.75)
    if close:
        return f"{module} has no {name!r}. Did you mean {lower[close[0]]!r}?"
    return (
        f"{module} has no {name!r}. It has what the lectures derive ({module}.__all__ lists it); "
        "another layer is a class with a forward method: class Square(nn.Module): "
        "def forward(self, input): return input**2."
    )
