"""Names, order and defaults of the optimisers' and schedules' arguments are PyTorch's."""

import inspect

import pytest

from nnlite import optim

# recorded from torch 2.13; "*" begins what must be named
SIGNATURES = {
    "SGD": (
        "params lr=0.001 momentum=0 dampening=0 weight_decay=0 nesterov=False * maximize=False "
        "foreach=None differentiable=False fused=None"
    ),
    "Adam": (
        "params lr=0.001 betas=(0.9,0.999) eps=1e-08 weight_decay=0 amsgrad=False * foreach=None "
        "maximize=False capturable=False differentiable=False fused=None "
        "decoupled_weight_decay=False"
    ),
    "AdamW": (
        "params lr=0.001 betas=(0.9,0.999) eps=1e-08 weight_decay=0.01 amsgrad=False * "
        "maximize=False foreach=None capturable=False differentiable=False fused=None"
    ),
    "RMSprop": (
        "params lr=0.01 alpha=0.99 eps=1e-08 weight_decay=0 momentum=0 centered=False "
        "capturable=False foreach=None maximize=False differentiable=False"
    ),
    "Optimizer": "params defaults",
    "lr_scheduler.LRScheduler": "optimizer last_epoch=-1",
    "lr_scheduler.StepLR": "optimizer step_size gamma=0.1 last_epoch=-1",
    "lr_scheduler.MultiStepLR": "optimizer milestones gamma=0.1 last_epoch=-1",
    "lr_scheduler.ExponentialLR": "optimizer gamma last_epoch=-1",
    "lr_scheduler.CosineAnnealingLR": "optimizer T_max eta_min=0 last_epoch=-1",
    "lr_scheduler.LambdaLR": "optimizer lr_lambda last_epoch=-1",
}


def _described(kind):
    words = []
    for p in inspect.signature(kind).parameters.values():
        if p.kind is p.KEYWORD_ONLY and "*" not in words:
            words.append("*")
        default = "" if p.default is p.empty else f"={p.default}".replace(" ", "")
        words.append(p.name + (default[:-2] if default.endswith(".0") else default))
    return " ".join(words)


@pytest.mark.parametrize("name", SIGNATURES)
def test_signatures_are_those_of_pytorch(name):
    kind = optim
    for part in name.split("."):
        kind = getattr(kind, part)
    assert _described(kind) == SIGNATURES[name]
