"""The safetensors format: every file that the library of its authors reads or writes, no other."""

import contextlib
import json
import struct
import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import nnlite

DTYPES = ["f8", "f4", "f2", "i8", "i4", "i2", "i1", "u8", "u4", "u2", "u1", "?"]
ARRAYS = st.sampled_from(DTYPES).flatmap(
    lambda code: hnp.arrays(code, hnp.array_shapes(min_dims=0, min_side=0, max_side=4))
)
NAMES = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
FLAT = st.dictionaries(NAMES, ARRAYS, max_size=5)


def _same(found, expected):
    assert list(found) == list(expected)
    for name, a in expected.items():
        assert found[name].dtype == a.dtype
        assert found[name].shape == a.shape
        assert found[name].tobytes() == a.tobytes()
        assert found[name].flags.writeable


@settings(max_examples=60, deadline=None)
@given(FLAT)
def test_arrays_come_back_in_order_bit_for_bit(state):
    path = _folder() / "state"
    nnlite.save(path, state)
    _same(nnlite.load(path), state)


@settings(max_examples=60, deadline=None)
@given(FLAT.filter(lambda state: "__metadata__" not in state))
def test_the_library_reads_what_is_written_here_and_the_reverse(state):
    library = pytest.importorskip("safetensors.numpy")
    path = _folder() / "state"
    nnlite.save(path, state)
    theirs = library.load_file(path)
    _same({name: np.array(theirs[name]) for name in state}, state)
    assert set(theirs) == set(state)
    library.save_file(state, path)
    found = nnlite.load(path)
    _same({name: found[name] for name in state}, state)


def _folder():
    return Path(tempfile.mkdtemp(dir=_folder.base))


@pytest.fixture(autouse=True, scope="module")
def _base(tmp_path_factory):
    _folder.base = tmp_path_factory.mktemp("format")


def test_the_data_of_every_array_are_aligned(tmp_path):
    state = {"a": np.ones(3, bool), "b": np.ones(1), "c": np.ones(5, "f4"), "d": np.ones(2, "i2")}
    nnlite.save(tmp_path / "s", state)
    data = (tmp_path / "s").read_bytes()
    (length,) = struct.unpack("<Q", data[:8])
    assert length % 8 == 0
    header = json.loads(data[8 : 8 + length])
    for name, a in state.items():
        assert header[name]["data_offsets"][0] % a.itemsize == 0


def test_big_endian_and_strided_arrays_are_written_as_numbers(tmp_path):
    x = np.arange(12.0).reshape(3, 4)
    state = {"big": x.astype(">f8"), "columns": x[:, ::-2], "fortran": np.asfortranarray(x)}
    nnlite.save(tmp_path / "s", state)
    for name, a in nnlite.load(tmp_path / "s").items():
        np.testing.assert_array_equal(a, state[name])
        assert a.dtype == np.float64
        assert a.dtype.isnative


# ---- files that are not as they should be ------------------------------------------------------

ENTRY = {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}


def _file(header, data=bytes(8), length=None):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text) if length is None else length) + text + data


def _entry(**changes):
    return _file({"w": {**ENTRY, **changes}})


DAMAGED = {
    "empty": (b"", "ends before its header"),
    "length of a header alone": (_file(b"", b""), "cannot be read"),
    "header longer than the file": (_file({"w": ENTRY}, length=2**20), "1048576 bytes"),
    "header of the largest length": (b"\xff" * 8 + b"{}", "18446744073709551615 bytes"),
    "not UTF-8": (_file(b'{"\xff": 1}'), "cannot be read"),
    "no JSON": (_file(b"{"), "cannot be read"),
    "deep JSON": (_file(b'{"w":' + b"[" * 200_000), "nested too deeply"),
    "JSON deeper than a browser's stack": (_file(b"[" * 1000 + b"]" * 1000), "nested too deeply"),
    "deep JSON after a quote": (_file(rb'{"\"[": ' + b"[" * 1000), "nested too deeply"),
    "brackets in an open string": (_file(b'{"' + b'\\"[' * 100_000), "cannot be read"),
    "a list": (_file([1]), "not a JSON object"),
    "a name twice": (
        _file(f'{{"w": {json.dumps(ENTRY)}, "w": {json.dumps(ENTRY)}}}'.encode()),
        "'w' appears twice",
    ),
    "an entry of text": (_file({"w": "F32"}), "entry 'w' is not dtype"),
    "a missing place": (_file({"w": {"dtype": "F32", "shape": [2]}}), "entry 'w' is not dtype"),
    "a negative axis": (_entry(shape=[-2]), "entry 'w' is not dtype"),
    "an axis that is a fraction": (_entry(shape=[2.0]), "entry 'w' is not dtype"),
    "an axis that is True": (_entry(shape=[True, 2]), "entry 'w' is not dtype"),
    "65 axes": (_entry(shape=[2] + [1] * 64), "entry 'w' is not dtype"),
    "three offsets": (_entry(data_offsets=[0, 4, 8]), "entry 'w' is not dtype"),
    "a place beyond the end": (_entry(data_offsets=[0, 16], shape=[4]), "16 bytes, 8 are there"),
    "a shape that does not fit": (_entry(shape=[3]), r"F32 of shape \[3\], cannot take 8 bytes"),
    "a huge shape": (_entry(shape=[2**62, 2**62]), "cannot take 8 bytes"),
    "backwards": (_entry(shape=[0], data_offsets=[8, 8]), "begin at byte 0"),
    "overlapping": (_file({"a": ENTRY, "b": ENTRY}), "'b' should begin at byte 8"),
    "a gap": (
        _file({"a": ENTRY, "b": {**ENTRY, "data_offsets": [12, 20]}}, bytes(20)),
        "'b' should begin at byte 8",
    ),
    "bytes left over": (_file({"w": ENTRY}, bytes(9)), "take 8 bytes, 9 are there"),
    "metadata of numbers": (
        _file({"__metadata__": {"epoch": 3}, "w": ENTRY}),
        "metadata are not text",
    ),
    "a bool of 2": (
        _file({"w": {"dtype": "BOOL", "shape": [8], "data_offsets": [0, 8]}}, b"\2" * 8),
        "holds other bytes than 0 and 1",
    ),
}


@pytest.mark.parametrize("case", DAMAGED)
def test_a_damaged_file_is_named_with_what_is_wrong(case, tmp_path):
    data, message = DAMAGED[case]
    path = tmp_path / "net.safetensors"
    path.write_bytes(data)
    with pytest.raises(
        ValueError, match=rf"net\.safetensors is not a complete safetensors file: .*{message}"
    ):
        nnlite.load(path)


def test_an_empty_array_of_huge_other_axes_is_refused_or_read_but_never_a_crash(tmp_path):
    path = tmp_path / "s"
    path.write_bytes(
        _file({"w": {**ENTRY, "shape": [0, 2**62, 2**62], "data_offsets": [0, 0]}}, b"")
    )
    with pytest.raises(ValueError, match="not a complete safetensors file"):
        nnlite.load(path)


@pytest.mark.parametrize("dtype", ["BF16", "F8_E4M3", "F8_E5M2", "C64", "F4"])
def test_a_dtype_that_numpy_lacks_is_named_with_the_way_out(dtype, tmp_path):
    path = tmp_path / "net.safetensors"
    path.write_bytes(_file({"w": {**ENTRY, "dtype": dtype}}))
    with pytest.raises(ValueError, match=rf"net\.safetensors holds 'w' as {dtype} .*float32") as e:
        nnlite.load(path)
    assert "complete" not in str(e.value)


@pytest.mark.parametrize("metadata", [{"format": "pt", "license": "MIT"}, {}, None])
def test_metadata_of_other_programs_are_passed_over(tmp_path, metadata):
    path = tmp_path / "net.safetensors"
    path.write_bytes(_file({"__metadata__": metadata, "w": ENTRY}))
    np.testing.assert_array_equal(nnlite.load(path)["w"], [0, 0])


ARRAY = {"is": "array", "name": "w"}


@pytest.mark.parametrize(
    "description",
    [
        "0.3",
        "{",
        "[" * 100_000,
        "null",
        json.dumps({"is": "list", "items": [ARRAY]}),
        json.dumps({"is": "mapping", "items": []}),
        json.dumps({"is": "mapping", "items": {"w": ARRAY}}),
        json.dumps({"is": "mapping", "items": {'["w"]': ARRAY}}),
        json.dumps({"is": "mapping", "items": {'"w"': {"is": "array", "name": "v"}}}),
        json.dumps({"is": "mapping", "items": {'"w"': ARRAY, '"v"': ARRAY}}),
        json.dumps({"is": "mapping", "items": {'"v"': {"is": "value", "value": 1}}}),
        json.dumps({"is": "mapping", "items": {'"w"': {"is": "value", "value": []}}}),
        '{"is": "mapping", "items": {"\\"a\\"": ' + '{"is": "list", "items": [' * 3000,
    ],
)
def test_a_description_that_nnlite_did_not_write_is_refused(description, tmp_path):
    path = tmp_path / "net.safetensors"
    path.write_bytes(_file({"__metadata__": {"nnlite": description}, "w": ENTRY}))
    with pytest.raises(ValueError, match=r"net\.safetensors: the metadata under 'nnlite'"):
        nnlite.load(path)


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_a_file_with_changed_bytes_is_read_or_refused(data):
    path = _folder() / "s"
    nnlite.save(path, {"a": np.arange(3), 1: [np.ones(2, bool), {"x": 1.5}]})
    raw = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(raw) - 1))
        raw[at] = data.draw(st.integers(0, 255))
    if data.draw(st.booleans()):
        del raw[data.draw(st.integers(0, len(raw))) :]
    path.write_bytes(raw)
    with contextlib.suppress(ValueError):  # anything else fails the test
        nnlite.load(path)
