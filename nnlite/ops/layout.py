"""Rearrangements of images: permutations, whose adjoints are their inverses (lecture 08)."""

from nnlite import kernels
from nnlite.ops.operation import Operation

#: Groups of r^2 channels become r x r pixels: a permutation, whose adjoint is its inverse.
pixel_shuffle: Operation = Operation(
    lambda x, r: kernels.pixel_shuffle(x, r),
    lambda g, _out, _x, r: pixel_unshuffle(g, r=r),
    params=("r",),
    name="pixel_shuffle",
)
pixel_unshuffle: Operation = Operation(
    lambda x, r: kernels.pixel_unshuffle(x, r),
    lambda g, _out, _x, r: pixel_shuffle(g, r=r),
    params=("r",),
    name="pixel_unshuffle",
)
#: Images as rows in the order of the index, whatever their order in memory; and back.
flatten_images: Operation = Operation(
    lambda x: kernels.flatten_images(x),
    lambda g, _out, _x: unflatten_images(g, shape=_x.shape[1:]),
    name="flatten_images",
)
unflatten_images: Operation = Operation(
    lambda x, shape: kernels.unflatten_images(x, shape),
    lambda g, _out, _x, shape: flatten_images(g),
    params=("shape",),
    name="unflatten_images",
)
