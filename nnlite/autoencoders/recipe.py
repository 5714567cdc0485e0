"""How a builder makes its networks, kept so that they can be made again.

An autoencoder that was built from ``sizes`` can be cloned untrained, searched over other sizes, and
left open in its number of features until the data say it.
"""

import copy
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from types import FunctionType
from typing import Any, Self

import numpy as np

from nnlite import nn, optim
from nnlite._arguments import as_choice, as_flag, as_integer, as_number
from nnlite._estimator import Transformer
from nnlite.autoencoders.corruption import Corruption
from nnlite.engine import default_dtype
from nnlite.engine.state import float_dtype
from nnlite.errors import NotFittedError
from nnlite.random import RNGLike, default_rng

Networks = tuple[nn.Module, nn.Module]
_NETWORKS = ("encoder", "decoder")
_LOSSES = ("squared_error", "cross_entropy")


@dataclass(frozen=True)
class Recipe:
    """A function that makes encoder and decoder, and what it is called with.

    Attributes
    ----------
    build : callable
        ``build(rng, **arguments) -> (encoder, decoder)``, with weights drawn from rng.
    check : callable
        ``check(**arguments)`` raises if nothing can be built from them.
    arguments : dict
        The builder's own arguments, by name. The number of features, which is ``n_features`` or
        the first of ``sizes``, may be None.
    dtype : dtype
        Of the weights: the default one when the recipe was written.
    """

    build: Callable[..., Networks]
    check: Callable[..., None]
    arguments: dict[str, Any]
    dtype: np.dtype[Any] = field(default_factory=lambda: float_dtype(None))

    def __post_init__(self) -> None:
        self.check(**self.arguments)

    @property
    def is_open(self) -> bool:
        """Whether the number of features is left for the data to say."""
        first = self.arguments.get("sizes", (0,))[0]
        return first is None or self.arguments.get("n_features", 0) is None

    def __getstate__(self) -> dict[str, Any]:
        """What pickle keeps: functions that it cannot find by name give what they make."""
        arguments = {
            name: _Copies(value()) if _is_nameless(value) else value
            for name, value in self.arguments.items()
        }
        return {**self.__dict__, "arguments": arguments}

    def __deepcopy__(self, memo: dict[int, Any]) -> "Recipe":
        return replace(self, arguments=copy.deepcopy(self.arguments, memo))

    def networks(self, rng: np.random.Generator) -> Networks:
        """Encoder and decoder with new weights."""
        with default_dtype(self.dtype):
            return self.build(rng, **self.arguments)

    def with_arguments(self, **changed: Any) -> "Recipe":
        """The same recipe with some arguments changed."""
        return replace(self, arguments={**self.arguments, **changed})

    def for_features(self, n: int) -> "Recipe":
        """The same recipe with the number of features filled in."""
        if "sizes" in self.arguments:
            return self.with_arguments(sizes=(n, *self.arguments["sizes"][1:]))
        return self.with_arguments(n_features=n)


@dataclass(frozen=True)
class _Copies:
    """A copier of a module: what remains of ``lambda: nn.LeakyReLU(0.2)`` in a pickle."""

    module: nn.Module

    def __call__(self) -> nn.Module:
        return copy.deepcopy(self.module)


def _is_nameless(value: Any) -> bool:
    """Whether it is a lambda, or a function defined in another: pickle looks for neither."""
    return isinstance(value, FunctionType) and "<" in value.__qualname__


class Rebuildable(Transformer):
    """The side of an autoencoder that scikit-learn sees: its parameters, and copies from them."""

    encoder: Any  # None until the data say their number of features, if the recipe is open
    decoder: Any
    loss: str
    corruption: Corruption | None
    epochs: int
    batch_size: int
    lr: float
    verbose: bool
    warm_start: bool
    rng: RNGLike | None
    _rng: np.random.Generator
    _recipe: Recipe | None = None
    _untrained: Networks | None = None  # where there is no recipe: a copy from before training

    @classmethod
    def from_recipe(cls, recipe: Recipe, *, rng: RNGLike | None = None, **settings: Any) -> Self:
        """An autoencoder whose networks can be made again: what the builders return."""
        # The networks come after the settings are checked, and may wait for the data.
        make: Any = cls
        model = make(None, None, rng=rng, **settings)
        model._recipe = recipe
        model._rebuild()
        return model

    def _set(self, **settings: Any) -> None:
        """Set options after a look at all of them."""
        for name, value in settings.items():
            settings[name] = _checked(name, value)
        for name, value in settings.items():
            setattr(self, name, value)

    def _forget(self) -> None:
        """Nothing seen, nothing trained."""
        self._optimiser: optim.Adam | None = None
        self.loss_curve_: list[float] = []
        self.validation_curve_: list[float] = []
        self._sample_shape: tuple[int, ...] | None = None
        self._n_codes: int | None = None
        self._has_weights = False  # trained or loaded, rather than random
        self.__dict__.pop("feature_names_in_", None)

    def _rebuild(self) -> None:
        """Networks as they were before any training."""
        self._forget()
        if self._recipe is None:
            if self._untrained is not None:
                self.encoder, self.decoder = copy.deepcopy(self._untrained)
        elif self._recipe.is_open:
            self.encoder = self.decoder = None
        else:
            self._rng = default_rng(self.rng)
            self.encoder, self.decoder = self._recipe.networks(self._rng)

    def _build_for(self, n_features: int) -> None:
        """Make the networks that waited for the number of features."""
        if self.encoder is None and self._recipe is not None:
            self._rng = default_rng(self.rng)
            self.encoder, self.decoder = self._recipe.for_features(n_features).networks(self._rng)

    def _check_built(self) -> None:
        if self.encoder is None:
            raise NotFittedError(
                "this autoencoder takes its number of features from the data: call fit(X) first."
            )

    def _before_training(self) -> None:
        """Keep the weights of the beginning, where no recipe can make them again."""
        if self._recipe is None and self._untrained is None:
            self._untrained = copy.deepcopy((self.encoder, self.decoder))

    def __sklearn_clone__(self) -> Self:
        """An untrained copy: scikit-learn's ``clone``."""
        params = self.get_params()
        if self._recipe is not None:
            own = self._recipe.arguments
            settings = {name: value for name, value in params.items() if name not in own}
            twin = type(self).from_recipe(copy.deepcopy(self._recipe), **copy.deepcopy(settings))
        else:
            if self._untrained is not None and "encoder" in params:
                params["encoder"], params["decoder"] = self._untrained
            twin = type(self)(**copy.deepcopy(params))  # in one go: the two may share weights
        if hasattr(self, "_sklearn_output_config"):
            twin._sklearn_output_config = dict(self._sklearn_output_config)
        return twin

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Arguments of the builder, or the networks, and the options, by name."""
        params = super().get_params()
        if self._recipe is None:
            return params
        del params["encoder"], params["decoder"]
        return {**self._recipe.arguments, **params}

    def set_params(self, **params: Any) -> Self:
        """Change parameters; networks of other sizes or from another rng start untrained.

        Raises
        ------
        ValueError, TypeError
            If a name or a value is not possible; then nothing is changed.
        """
        known = self.get_params()
        for name in params:
            if name not in known:
                raise ValueError(
                    f"{type(self).__name__} has no parameter {name!r}; it has {', '.join(known)}."
                )
        own = {} if self._recipe is None else self._recipe.arguments
        changed = {name: params.pop(name) for name in [*params] if name in own}
        recipe = self._recipe and self._recipe.with_arguments(**changed)
        networks = {name: params.pop(name) for name in [*params] if name in _NETWORKS}
        new_rng = params.pop("rng", self.rng)
        self._set(**params)
        fresh = new_rng is not self.rng and new_rng != self.rng
        if fresh:
            self.rng, self._rng = new_rng, default_rng(new_rng)
        if recipe is not None and (fresh or any(own[n] is not v for n, v in changed.items())):
            self._recipe = recipe
            self._rebuild()
        if any(getattr(self, name) is not module for name, module in networks.items()):
            self._untrained = None
            self._forget()
            for name, module in networks.items():
                setattr(self, name, module)
        return self


def _checked(name: str, value: Any) -> Any:
    """An option of :class:`Autoencoder`, if it is possible."""
    if name == "loss":
        return as_choice(value, name, _LOSSES)
    if name in ("epochs", "batch_size"):
        return as_integer(value, name, 0 if name == "epochs" else 1)
    if name == "lr":
        return as_number(value, name, 0)
    if name in ("verbose", "warm_start"):
        return as_flag(value, name)
    if name == "corruption" and value is not None and not callable(value):
        raise TypeError(
            f"corruption must be a function of (x, rng), as Masking(0.3); got {value!r}."
        )
    return value
