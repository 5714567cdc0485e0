"""Containers: modules in a row, in a list and under names (lecture 04)."""

import operator
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from nnlite.nn.activations import LeakyReLU, ReLU
from nnlite.nn.convolution import Conv2d, ConvTranspose2d
from nnlite.nn.linear import Linear
from nnlite.nn.module import Module
from nnlite.nn.normalization import BatchNorm1d, BatchNorm2d


class _Row(Module):
    """Modules kept in order under the names "0", "1", ..."""

    def _items(self) -> list[Module]:
        return [value for value in vars(self).values() if isinstance(value, Module)]

    def _name(self, index: int) -> str:
        names = list(self._modules)
        if not -len(names) <= operator.index(index) < len(names):
            raise IndexError(f"index {index} of a {type(self).__name__} with {len(names)} modules.")
        return names[index]

    def __len__(self) -> int:
        return len(self._modules)

    def __iter__(self) -> Iterator[Module]:
        return iter(self._items())

    def __getitem__(self, index: int | slice) -> Any:
        if isinstance(index, slice):
            return self._of(dict(list(self._modules.items())[index]))
        return getattr(self, self._name(index))

    def __setitem__(self, index: int, module: Module) -> None:
        setattr(self, self._name(index), _checked(module))

    def __delitem__(self, index: int | slice) -> None:
        names = list(self._modules)
        for name in names[index] if isinstance(index, slice) else [self._name(index)]:
            delattr(self, name)
        self._rename(self._items())

    def append(self, module: Module) -> "_Row":
        """Add a module at the end and return self."""
        self.add_module(str(len(self)), _checked(module))
        return self

    def extend(self, modules: Iterable[Module]) -> "_Row":
        """Add modules at the end and return self."""
        if not isinstance(modules, Iterable):
            raise TypeError(
                f"{type(self).__name__} takes a list of modules; got {type(modules).__name__}. "
                f"Write nn.{type(self).__name__}([module])."
            )
        for module in [_checked(m) for m in modules]:  # all are modules, or none is added
            self.append(module)
        return self

    def insert(self, index: int, module: Module) -> "_Row":
        """Put a module in front of the one at ``index`` and return self."""
        items = self._items()
        items.insert(index, _checked(module))
        self._rename(items)
        return self

    def _rename(self, items: list[Module]) -> None:
        for name in list(self._modules):
            delattr(self, name)
        for i, module in enumerate(items):
            setattr(self, str(i), module)

    def _of(self, named: dict[str, Module]) -> "_Row":
        raise NotImplementedError


class Sequential(_Row):
    """Modules applied one after the other.

    A linear, convolutional or batch-norm layer followed by ReLU or LeakyReLU is computed in one
    pass; the result and its derivatives of any order are the same.

    Parameters
    ----------
    *args : Module
        Or one mapping (``OrderedDict``) of name -> module.

    Examples
    --------
    >>> net = nn.Sequential(nn.Linear(2, 16), nn.Tanh(), nn.Linear(16, 1))
    >>> net[0].out_features, len(net[:2])
    (16, 2)
    """

    def __init__(self, *args: Any) -> None:
        super().__init__()
        if len(args) == 1 and isinstance(args[0], Mapping):
            named = dict(args[0])
        else:
            named = {str(i): module for i, module in enumerate(args)}
        for name, module in named.items():
            self.add_module(name, _checked(module))

    def forward(self, input: Any) -> Any:
        """The last module's result."""
        x = input
        items = self._items()
        i, n = 0, len(items)
        while i < n:
            layer: Any = items[i]
            after: Any = items[i + 1] if i + 1 < n and type(layer) in _FUSED_LAYERS else None
            if type(after) in _FUSED_ACTIVATIONS and after.negative_slope >= 0:
                x = layer._forward(x, after.negative_slope)
                i += 2
            else:
                x = layer(x)
                i += 1
        return x

    def _of(self, named: dict[str, Module]) -> "Sequential":
        return Sequential(named)


#: Whose ``_forward(x, slope)`` computes the activation too. Exactly these classes: a subclass may
#: have a forward of its own.
_FUSED_LAYERS = (Linear, Conv2d, ConvTranspose2d, BatchNorm1d, BatchNorm2d)
_FUSED_ACTIVATIONS = (ReLU, LeakyReLU)


class ModuleList(_Row):
    """A list of modules whose parameters are found (those in a plain list are not).

    Parameters
    ----------
    modules : iterable of Module, optional
    """

    def __init__(self, modules: Iterable[Module] | None = None) -> None:
        super().__init__()
        self.extend(() if modules is None else modules)

    def _of(self, named: dict[str, Module]) -> "ModuleList":
        return ModuleList(named.values())


class ModuleDict(Module):
    """A mapping of name -> module whose parameters are found (those in a plain dict are not).

    Parameters
    ----------
    modules : mapping or iterable of (str, Module), optional
    """

    def __init__(self, modules: Any = None) -> None:
        super().__init__()
        self.update(() if modules is None else modules)

    def update(self, modules: Any) -> None:
        """Add or replace modules, in the order given."""
        try:
            named = dict(modules.items() if hasattr(modules, "items") else modules)
        except (TypeError, ValueError) as error:
            raise TypeError(
                "ModuleDict takes a mapping of names to modules, or pairs (name, module); got "
                f"{type(modules).__name__}."
            ) from error
        for module in named.values():  # all are modules, or none is added
            _checked(module)
        for name, module in named.items():
            self[name] = module

    def __setitem__(self, name: str, module: Module) -> None:
        if name in self._modules:
            setattr(self, name, _checked(module))
        else:
            self.add_module(name, _checked(module))

    def __getitem__(self, name: str) -> Module:
        return self._modules[name]

    def __delitem__(self, name: str) -> None:
        self._modules[name]  # a KeyError names what is missing
        delattr(self, name)

    def __contains__(self, name: object) -> bool:
        return name in self._modules

    def __len__(self) -> int:
        return len(self._modules)

    def __iter__(self) -> Iterator[str]:
        return iter(self._modules)

    def keys(self) -> Iterable[str]:
        """Names, in order."""
        return self._modules.keys()

    def values(self) -> Iterable[Module]:
        """Modules, in order."""
        return self._modules.values()

    def items(self) -> Iterable[tuple[str, Module]]:
        """Pairs of name and module, in order."""
        return self._modules.items()


def _checked(module: Any) -> Module:
    if not isinstance(module, Module):
        what = f"the class {module.__name__}" if isinstance(module, type) else type(module).__name__
        raise TypeError(
            f"only Modules go into a container; got {what}. A function such as np.tanh has a layer "
            "(nn.Tanh()); a list is unpacked with a star: nn.Sequential(*layers)."
        )
    return module
