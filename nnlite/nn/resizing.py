"""Resizing of images (lecture 08)."""

from typing import Any

from nnlite.nn import functional as F
from nnlite.nn._checks import as_pair
from nnlite.nn.functional._resizing import as_factors, check_resizing
from nnlite.nn.module import Module


class Upsample(Module):
    """Enlarge images to ``size`` or by ``scale_factor``.

    Parameters
    ----------
    size : int or (int, int), optional
    scale_factor : float or (float, float), optional
    mode : {"nearest", "nearest-exact", "bilinear", "bicubic"}
    align_corners : bool, optional
        For the last two: whether the centres of the corner pixels stay where they are.
    recompute_scale_factor : bool, optional
        Place pixels by the ratio of the sizes instead of by the factor.
    """

    def __init__(
        self,
        size: int | tuple[int, int] | None = None,
        scale_factor: float | tuple[float, float] | None = None,
        mode: str = "nearest",
        align_corners: bool | None = None,
        recompute_scale_factor: bool | None = None,
    ) -> None:
        super().__init__()
        check_resizing("Upsample", mode, align_corners, recompute_scale_factor)
        if size is not None:
            as_pair(size, "Upsample: size", 1)
        if scale_factor is not None:
            as_factors("Upsample", scale_factor)
        self.size = size
        self.scale_factor = scale_factor
        self.mode = mode
        self.align_corners = align_corners
        self.recompute_scale_factor = recompute_scale_factor

    def forward(self, input: Any) -> Any:
        """(N, C, H, W) -> (N, C, H', W')."""
        return F.interpolate(
            input,
            self.size,
            self.scale_factor,
            self.mode,
            self.align_corners,
            self.recompute_scale_factor,
        )

    def extra_repr(self) -> str:
        what = "scale_factor" if self.size is None else "size"
        return f"{what}={getattr(self, what)}, mode={self.mode!r}"
