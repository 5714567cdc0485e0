"""What a module holds: parameters, buffers and modules among its attributes (lecture 04).

Nothing is registered behind the scenes: children are the attributes that are modules, parameters
those that are Parameters, in the order in which they were first assigned.
"""

import warnings
from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, cast

from numpy.typing import NDArray

from nnlite.nn.parameter import Parameter

if TYPE_CHECKING:
    from nnlite.nn.module import Module

_PLAIN = (list, tuple, dict)


class Tree:
    """The side of a :class:`nnlite.nn.Module` that lists what it holds; every tree is a module."""

    _buffer_names: tuple[str, ...] = ()

    def named_children(self) -> Iterator[tuple[str, "Module"]]:
        """Name and module of each direct child, each module once."""
        seen = set()
        for name, value in vars(self).items():
            if isinstance(value, Tree) and id(value) not in seen:
                seen.add(id(value))
                yield name, cast("Module", value)

    def children(self) -> Iterator["Module"]:
        """Each direct child."""
        return (child for _, child in self.named_children())

    def named_modules(self, prefix: str = "") -> Iterator[tuple[str, "Module"]]:
        """Dotted name and module: this one (named ``prefix``) and all below it, each once."""
        seen = set()
        for name, module in self._tree(prefix):
            if id(module) not in seen:
                seen.add(id(module))
                yield name, module

    def modules(self) -> Iterator["Module"]:
        """Yield this module and all below it, each once."""
        return (module for _, module in self.named_modules())

    def named_parameters(
        self, prefix: str = "", recurse: bool = True
    ) -> Iterator[tuple[str, Parameter]]:
        """Dotted name and parameter, in order; a shared parameter once, under its first name."""
        if recurse:
            self._warn_of_hidden()
        return self._named(lambda m: m._parameters, prefix, recurse)

    def parameters(self, recurse: bool = True) -> Iterator[Parameter]:
        """All parameters, in order, each once."""
        return (p for _, p in self.named_parameters(recurse=recurse))

    def named_buffers(
        self, prefix: str = "", recurse: bool = True
    ) -> Iterator[tuple[str, NDArray[Any]]]:
        """Dotted name and array of each buffer."""
        return self._named(lambda m: m._buffers, prefix, recurse)

    def buffers(self, recurse: bool = True) -> Iterator[NDArray[Any]]:
        """All buffers."""
        return (b for _, b in self.named_buffers(recurse=recurse))

    @property
    def _parameters(self) -> Mapping[str, Parameter]:
        # read-only: what is written into it would be lost, so it must not look as if it were kept
        return MappingProxyType({k: v for k, v in vars(self).items() if isinstance(v, Parameter)})

    @property
    def _buffers(self) -> dict[str, NDArray[Any]]:
        named = ((name, vars(self).get(name)) for name in self._buffer_names)  # None if deleted
        return {name: v for name, v in named if v is not None}

    @property
    def _modules(self) -> Mapping[str, "Module"]:
        inside: dict[str, Any] = {k: v for k, v in vars(self).items() if isinstance(v, Tree)}
        return MappingProxyType(inside)

    def _tree(self, prefix: str = "") -> Iterator[tuple[str, "Module"]]:
        """Yield this module and all below it, under every name they have."""
        yield prefix, cast("Module", self)
        for name, child in self._modules.items():
            yield from child._tree(f"{prefix}.{name}" if prefix else name)

    def _named(
        self, inside: Callable[["Module"], Any], prefix: str, recurse: bool
    ) -> Iterator[Any]:
        seen = set()
        modules: Any = self.named_modules(prefix) if recurse else [(prefix, self)]
        for path, module in modules:
            for name, value in inside(module).items():
                if id(value) not in seen:
                    seen.add(id(value))
                    yield f"{path}.{name}" if path else name, value

    def _all_parameters(self) -> Iterator[Parameter]:
        """Yield all parameters, as they are needed in every step of training."""
        return (p for _, p in self._named(lambda m: m._parameters, "", True))

    def _warn_of_hidden(self) -> None:
        """Warn of modules and parameters in plain lists, where nothing finds them."""
        for path, module in self.named_modules():
            for name, value in vars(module).items():
                on_purpose = name.startswith("_")
                if not on_purpose and isinstance(value, _PLAIN) and value and self._hides(value):
                    kind = "ModuleDict" if isinstance(value, dict) else "ModuleList"
                    warnings.warn(
                        f"{type(self).__name__}: {f'{path}.' if path else ''}{name} is a plain "
                        f"{type(value).__name__}; what it holds is not found, trained or saved. "
                        f"Write self.{name} = nn.{kind}(...), or give each parameter a name of "
                        "its own.",
                        stacklevel=4,
                    )

    def _hides(self, value: Any) -> bool:
        """Whether a list or dict holds modules or parameters that are nowhere else."""
        inside = value.values() if isinstance(value, dict) else value
        held = [v for v in inside if isinstance(v, Tree | Parameter)]
        found = [*self.modules(), *self._all_parameters()] if held else []
        return not {id(v) for v in held} <= {id(v) for v in found}
