"""What is written in a file of nn is offered by the package: nothing is forgotten in a list."""

import importlib
import inspect
import pkgutil

import pytest

from nnlite import nn
from nnlite.nn import functional


def written_in(package, is_wanted):
    """Names of what the modules of a package define themselves."""
    names = set()
    for found in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
        module = importlib.import_module(found.name)
        names |= {
            name
            for name, thing in vars(module).items()
            if not name.startswith("_")
            and getattr(thing, "__module__", "") == module.__name__
            and is_wanted(thing)
        }
    return names


def is_layer(thing):
    return inspect.isclass(thing) and issubclass(thing, nn.Module)


def takes_input(thing):
    """Functions for users take ``input`` first; the private way into a layer adds ``slope``."""
    if not inspect.isfunction(thing):
        return False
    parameters = [*inspect.signature(thing).parameters]
    return parameters[:1] == ["input"] and "slope" not in parameters


@pytest.mark.parametrize(
    ("package", "is_wanted", "some"),
    [(nn, is_layer, {"Linear", "GELU"}), (functional, takes_input, {"linear", "gelu"})],
    ids=["layers", "functions"],
)
def test_what_a_file_defines_the_package_offers(package, is_wanted, some):
    names = written_in(package, is_wanted)
    assert some <= names
    assert names - set(package.__all__) == set(), f"add these to {package.__name__}.__all__"
