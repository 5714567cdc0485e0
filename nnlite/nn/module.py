"""Module: it holds parameters, buffers and other modules (lecture 04).

A Module is an ordinary object. Its parameters are those of its attributes that are Parameters, its
children those that are Modules, in the order in which they were first assigned: nothing is
registered behind the scenes. Buffers (arrays that are saved but not trained, such as running means)
are named by :meth:`Module.register_buffer`.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Self

import numpy as np
from numpy.typing import DTypeLike, NDArray

from nnlite._arguments import as_array, as_python
from nnlite.engine.state import float_dtype
from nnlite.engine.tensor import Tensor
from nnlite.nn import _advice
from nnlite.nn._checks import check_device, check_flags, is_device
from nnlite.nn._loading import Keys, load
from nnlite.nn._tree import Tree
from nnlite.nn.parameter import Parameter
from nnlite.ops import values_of


class Module(Tree):
    """Base class of layers and models: subclass it and write ``forward``.

    Calling a module calls ``forward``; NumPy arrays among the arguments arrive there as Tensors.

    Attributes
    ----------
    training : bool
        Set by :meth:`train` and :meth:`eval`; dropout and batch normalisation look at it.

    Examples
    --------
    >>> class Autoencoder(nn.Module):
    ...     def __init__(self):
    ...         super().__init__()
    ...         self.encoder = nn.Linear(784, 32)
    ...         self.decoder = nn.Linear(32, 784)
    ...     def forward(self, x):
    ...         return self.decoder(np.tanh(self.encoder(x)))
    """

    training: bool = True
    _passing_names: tuple[str, ...] = ()  # of the buffers that are not saved

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        if args or kwargs:
            name = type(self).__name__
            raise TypeError(
                f"{name} is made without arguments (super().__init__() takes none), and called "
                f"with the data: layer = {name}(); layer(x)."
            )

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        args = tuple([_tensor(a) if isinstance(a, np.ndarray) else a for a in args])
        if kwargs:
            kwargs = {k: _tensor(a) if isinstance(a, np.ndarray) else a for k, a in kwargs.items()}
        out = self.forward(*args, **kwargs)
        if out is None:
            raise TypeError(
                f"{type(self).__name__}.forward returned None; end it with 'return' and the result."
            )
        return out

    def __getattr__(self, name: str) -> Any:
        """Say what to write instead of a method that only torch's modules have."""
        found = getattr(type(self), name, None)
        if isinstance(found, property):  # it raised an AttributeError, which is the one to see
            return found.__get__(self)
        kind = type(self).__name__
        advice = f"; write {_advice.METHODS[name]}" if name in _advice.METHODS else ""
        raise AttributeError(f"{kind} has no attribute {name!r}{advice}.", name=name, obj=self)

    def __setattr__(self, name: str, value: Any) -> None:
        """Refuse to replace a parameter or module, by accident, by something that is none."""
        before = self.__dict__.get(name)
        if isinstance(before, Parameter | Module) and value is not None:
            kind = Parameter if isinstance(before, Parameter) else Module
            if not isinstance(value, kind):
                raise TypeError(
                    f"{type(self).__name__}.{name} is a {kind.__name__}; assigning "
                    f"{type(value).__name__} would lose it. To change the values of a parameter "
                    f"write {name}.data[...] = values; to replace it assign nn.Parameter(values)."
                )
        if name in self._buffer_names and not isinstance(value, _BUFFERS):
            if not isinstance(value, np.generic):  # what NumPy makes of an array without axes
                raise TypeError(
                    f"{type(self).__name__}.{name} is a buffer, an array that is saved; got "
                    f"{type(value).__name__}. Write {name}[...] = values, or assign "
                    "np.array(values)."
                )
            value = np.asarray(value)
        super().__setattr__(name, value)

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """Compute the result. Subclasses write this."""
        raise NotImplementedError(
            f"{type(self).__name__} has no forward method; define forward(self, x)."
        )

    # ---- adding ---------------------------------------------------------------------------

    def add_module(self, name: str, module: "Module | None") -> None:
        """``self.name = module``, for names made by a program."""
        if module is not None and not isinstance(module, Module):
            raise TypeError(f"add_module({name!r}): {type(module).__name__} is not a Module.")
        self._add(name, module)

    def register_parameter(self, name: str, param: Parameter | None) -> None:
        """``self.name = param``, for names made by a program; None says "no such parameter"."""
        if param is not None and not isinstance(param, Parameter):
            raise TypeError(
                f"register_parameter({name!r}): {type(param).__name__} is not a Parameter; "
                "make one with nn.Parameter(array)."
            )
        self._add(name, param)

    def register_buffer(self, name: str, tensor: Any, persistent: bool = True) -> None:
        """Set ``self.name`` to an array that is not trained but, if persistent, is saved."""
        value = values_of(tensor)
        self._add(name, None if value is None else as_array(value, f"the buffer {name!r}"))
        if name not in self._buffer_names:
            self._buffer_names = (*self._buffer_names, name)
        passing = tuple(n for n in self._passing_names if n != name)
        self._passing_names = passing if persistent else (*passing, name)

    def _add(self, name: str, value: Any) -> None:
        if not isinstance(name, str):
            raise TypeError(
                f"a name inside a module is text; got {name!r} ({type(name).__name__}). Write "
                f"{str(name)!r}."
            )
        if not name or "." in name:
            raise KeyError(f"a name inside a module is not empty and has no dot; got {name!r}.")
        if hasattr(type(self), name):
            raise KeyError(f"{type(self).__name__} already has an attribute {name!r}.")
        setattr(self, name, value)

    # ---- state ----------------------------------------------------------------------------

    def state_dict(self, prefix: str = "") -> dict[str, NDArray[Any]]:
        """Copies of all parameters and buffers by dotted name; training on leaves them alone."""
        return {name: np.array(values_of(value)) for name, value in self._state(prefix)}

    def _state(self, prefix: str = "") -> Iterator[tuple[str, Any]]:
        """Every parameter and buffer under every name it has."""
        start = prefix.rstrip(".")
        for path, module in self._tree(start):
            for name, value in {**module._parameters, **module._buffers}.items():
                if name not in module._passing_names:
                    yield f"{path}.{name}" if path else name, value

    def load_state_dict(self, state_dict: Mapping[str, Any], strict: bool = True) -> Keys:
        """Copy values into parameters and buffers, all of them or, on an error, none.

        Parameters
        ----------
        state_dict : mapping
            Dotted name -> array (or Tensor, or anything NumPy can read), of the shapes found here.
        strict : bool
            Refuse missing and unexpected names; otherwise load what matches.

        Returns
        -------
        Keys
            ``(missing_keys, unexpected_keys)``.

        Raises
        ------
        RuntimeError
            Naming every missing and unexpected key (if strict) and every shape that differs.
        """
        check_flags("load_state_dict", strict=strict)
        return load(type(self).__name__, dict(self._state()), state_dict, strict)

    def train(self, mode: bool = True) -> Self:
        """Switch this module and all below it to training mode (or, with False, out of it)."""
        if not isinstance(as_python(mode), bool):
            raise TypeError(
                f"train() switches to training mode and takes True or False; got "
                f"{type(mode).__name__}. nnlite.training and a loop of steps train on data."
            )
        for module in self.modules():
            module.training = mode
        return self

    def eval(self) -> Self:
        """Switch to evaluation mode: the same as ``train(False)``."""
        return self.train(False)

    def requires_grad_(self, requires_grad: bool = True) -> Self:
        """Freeze (False) or release (True) all parameters."""
        check_flags("requires_grad_", requires_grad=requires_grad)
        for p in self._all_parameters():
            p.requires_grad_(requires_grad)
        return self

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget the gradients of all parameters (or, with False, fill them with zeros)."""
        for p in self._all_parameters():
            if set_to_none or p.grad is None:
                p.grad = None
            else:
                p.grad = np.zeros_like(p.data)

    def apply(self, fn: Callable[["Module"], Any]) -> Self:
        """Call ``fn`` on every module below, then on this one: ``model.apply(weights_init)``."""
        for child in self.children():
            child.apply(fn)
        fn(self)
        return self

    def to(self, *targets: Any, device: Any = None, dtype: DTypeLike | None = None) -> Self:
        """Convert parameters and buffers to "float32" or "float64"; "cpu" changes nothing.

        Parameters
        ----------
        *targets : device or dtype
            In PyTorch's manner: ``to("cpu")``, ``to("float64")``, ``to("cpu", np.float64)``.
        device, dtype
            The same by name.

        Raises
        ------
        ValueError
            For any other device.
        """
        for target in targets:
            if is_device(target):
                device = target
            else:
                dtype = target.dtype if isinstance(target, Tensor) else target
        check_device(f"{type(self).__name__}.to", device)
        if dtype is None:
            return self
        try:
            dtype = float_dtype(dtype)
        except TypeError as error:
            raise TypeError(
                f"{type(self).__name__}.to takes 'cpu', 'float32' or 'float64'; got {dtype!r}."
            ) from error
        for module in self.modules():
            for p in module._parameters.values():
                p.data = p.data.astype(dtype)
                p.grad = None if p.grad is None else p.grad.astype(dtype)
            for name, b in module._buffers.items():
                if b.dtype.kind == "f":
                    setattr(module, name, b.astype(dtype))
        return self

    def cpu(self) -> Self:
        """The module itself: there is only one device."""
        return self

    def float(self) -> Self:
        """Convert to float32."""
        return self.to("float32")

    def double(self) -> Self:
        """Convert to float64."""
        return self.to("float64")

    # ---- representation -------------------------------------------------------------------

    def extra_repr(self) -> str:
        """What stands between the parentheses of a layer's representation."""
        return ""

    def __repr__(self) -> str:
        lines = self.extra_repr().splitlines()
        for name, child in self._modules.items():
            lines.append(f"({name}): " + repr(child).replace("\n", "\n  "))
        name = type(self).__name__
        if not self._modules and len(lines) <= 1:
            return f"{name}({''.join(lines)})"
        return "\n  ".join([f"{name}(", *lines]) + "\n)"


_BUFFERS = (np.ndarray, Tensor, type(None))


def _tensor(array: NDArray[Any]) -> Tensor:
    return Tensor(as_array(array, "the input"))
