"""What the machine can do: its registers, which a tile has to fit."""

import pytest

pytest.importorskip("numba")


def test_the_tile_fits_the_registers_of_every_machine():
    from nnlite.kernels.fast.machine import choose_tile

    machines = [
        ({"avx512f", "avx2", "fma"}, "x86_64", 16, 32),
        ({"avx2", "fma"}, "x86_64", 8, 16),
        ({"avx"}, "x86_64", 4, 16),
        (set(), "aarch64", 4, 32),
        (set(), "arm64", 4, 32),
        (set(), "riscv64", 4, 16),
    ]
    for features, architecture, lanes, registers in machines:
        tile = choose_tile(features, architecture)
        assert tile.lanes == lanes
        assert tile.rows * tile.vectors + tile.vectors + 1 <= registers
        assert tile.rows * tile.vectors >= 12  # sums in flight hide the multiplier's latency
