"""nnlite.datasets.digits: real digits in one line, damaged files never in silence."""

import gzip
import hashlib
import struct

import numpy as np
import pytest

from nnlite.datasets import CorruptDataError, digits, mnist, read_idx


def idx_bytes(array):
    """The array in IDX format (uint8 only), written independently of the reader."""
    header = struct.pack(">BBBB", 0, 0, 8, array.ndim) + struct.pack(
        f">{array.ndim}I", *array.shape
    )
    return header + array.tobytes()


@pytest.fixture
def small_root(tmp_path):
    """A folder with a well-formed data set in MNIST's format: 5 training and 3 test images."""
    rng = np.random.default_rng(0)
    data = {}
    for prefix, n in (("train", 5), ("t10k", 3)):
        images = rng.integers(0, 256, (n, 28, 28), dtype=np.uint8)
        labels = rng.integers(0, 10, n, dtype=np.uint8)
        (tmp_path / f"{prefix}-images-idx3-ubyte").write_bytes(idx_bytes(images))
        (tmp_path / f"{prefix}-labels-idx1-ubyte.gz").write_bytes(gzip.compress(idx_bytes(labels)))
        data[prefix] = images, labels
    return tmp_path, data


def test_one_line_gives_flat_training_digits_in_the_unit_interval():
    X, y = mnist()
    assert X.shape == (6000, 784)
    assert X.dtype == np.float32
    assert y.shape == (6000,)
    assert y.dtype == np.intp
    assert X.min() == 0.0
    assert X.max() == 1.0
    assert set(y) == set(range(10))


def test_splits_are_disjoint_in_position_and_all_is_their_concatenation():
    train, test, both = mnist("train"), mnist("test"), mnist("all")
    assert test.X.shape == (1000, 784)
    np.testing.assert_array_equal(both.X, np.concatenate([train.X, test.X]))
    np.testing.assert_array_equal(both.y, np.concatenate([train.y, test.y]))


def test_float_pixels_are_the_grey_levels_over_255():
    raw = mnist("test", dtype="uint8", flatten=False).X
    assert raw.shape == (1000, 28, 28)
    assert raw.dtype == np.uint8
    exact = mnist("test", dtype="float64", flatten=False).X
    np.testing.assert_array_equal(exact, raw / 255.0)
    np.testing.assert_array_equal(mnist("test", flatten=False).X, exact.astype(np.float32))


def test_total_variance_matches_the_published_course_value():
    X, _ = mnist(dtype="float64")
    assert X.var(axis=0).sum() == pytest.approx(52.9000, abs=5e-5)
    assert np.sum(X.mean(axis=0) ** 2) == pytest.approx(35.4089, abs=5e-5)


def test_callers_cannot_damage_each_others_digits():
    X, y = mnist("test", dtype="uint8")
    X[:] = 0
    y[:] = 0
    again = mnist("test", dtype="uint8")
    assert again.X.any()
    assert again.y.any()


@pytest.mark.parametrize(
    ("kwargs", "message"),
    [
        ({"split": "validation"}, "validation"),
        ({"dtype": "int32"}, "int32"),
        ({"root": "somewhere"}, "full=True"),
        ({"download": True}, "full=True"),
    ],
)
def test_wrong_arguments_are_named(kwargs, message):
    with pytest.raises(ValueError, match=message):
        mnist(**kwargs)


def test_damaged_subset_is_refused(tmp_path, monkeypatch):
    raw = bytearray(digits._SUBSET.read_bytes())
    raw[500_000] ^= 1
    damaged = tmp_path / "mnist7k.npz"
    damaged.write_bytes(raw)
    monkeypatch.setattr(digits, "_SUBSET", damaged)
    digits._load_subset.cache_clear()
    try:
        with pytest.raises(CorruptDataError, match=r"checksum.*reinstall"):
            mnist()
    finally:
        digits._load_subset.cache_clear()


# --- the full set ---------------------------------------------------------------------------


def test_full_set_reads_plain_and_gzipped_files(small_root):
    root, data = small_root
    X, y = mnist(full=True, root=root, verify=False, dtype="uint8", flatten=False)
    np.testing.assert_array_equal(X, data["train"][0])
    np.testing.assert_array_equal(y, data["train"][1])
    both = mnist("all", full=True, root=root, verify=False)
    assert both.X.shape == (8, 784)
    assert both.X.dtype == np.float32


def test_environment_variable_names_the_folder(small_root, monkeypatch):
    root, data = small_root
    monkeypatch.setenv("NNLITE_DATA", str(root))
    y = mnist("test", full=True, verify=False).y
    np.testing.assert_array_equal(y, data["t10k"][1])


def test_well_formed_file_with_another_content_has_the_wrong_checksum(small_root):
    root, _ = small_root
    with pytest.raises(CorruptDataError, match=r"wrong checksum.*verify=False"):
        mnist(full=True, root=root)


def test_missing_file_names_the_folder_and_the_remedy(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"train-images-idx3-ubyte.*download=True"):
        mnist(full=True, root=tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("keep", [0, 3, 9, 200])
def test_truncated_file_is_refused(small_root, keep):
    root, _ = small_root
    path = root / "train-images-idx3-ubyte"
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(CorruptDataError, match=r"truncated|not an IDX file"):
        mnist(full=True, root=root)


def test_truncated_or_damaged_gzip_file_is_refused(small_root):
    root, _ = small_root
    path = root / "train-labels-idx1-ubyte.gz"
    whole = path.read_bytes()
    for broken in (whole[:-6], b"not gzip at all", whole[:14] + b"\xff" + whole[15:]):
        path.write_bytes(broken)
        with pytest.raises(CorruptDataError, match="gzip"):
            mnist(full=True, root=root, verify=False)


def test_file_longer_than_its_header_says_is_refused(tmp_path):
    path = tmp_path / "a"
    path.write_bytes(idx_bytes(np.zeros((2, 3), np.uint8)) + b"\0")
    with pytest.raises(CorruptDataError, match=r"too long.*18 bytes.*19"):
        read_idx(path)


def test_labels_that_do_not_match_the_images_are_refused(small_root):
    root, _ = small_root
    (root / "train-labels-idx1-ubyte.gz").write_bytes(
        gzip.compress(idx_bytes(np.zeros(4, np.uint8)))
    )
    with pytest.raises(CorruptDataError, match=r"\(5,\).*\(4,\)"):
        mnist(full=True, root=root, verify=False)


def test_idx_entries_are_big_endian(tmp_path):
    path = tmp_path / "ints"
    values = np.array([[1, -2], [300, 70000]], ">i4")
    path.write_bytes(struct.pack(">BBBB2I", 0, 0, 0x0C, 2, 2, 2) + values.tobytes())
    read = read_idx(path)
    np.testing.assert_array_equal(read, [[1, -2], [300, 70000]])
    assert read.dtype == np.int32


# --- downloading, from a folder that plays the mirror ------------------------------------------


@pytest.fixture
def mirror(small_root, tmp_path_factory, monkeypatch):
    """Serve the small data set (gzipped) under file:// with matching checksums."""
    _, data = small_root
    folder = tmp_path_factory.mktemp("mirror")
    sums = {}
    for prefix, (images, labels) in data.items():
        for name, array in (
            (f"{prefix}-images-idx3-ubyte", images),
            (f"{prefix}-labels-idx1-ubyte", labels),
        ):
            packed = gzip.compress(idx_bytes(array))
            (folder / f"{name}.gz").write_bytes(packed)
            sums[name] = (
                hashlib.sha256(idx_bytes(array)).hexdigest(),
                hashlib.sha256(packed).hexdigest(),
            )
    monkeypatch.setattr(digits, "_MIRRORS", (folder.as_uri() + "/",))
    monkeypatch.setattr(digits, "_FILES", sums)
    return folder, data


def test_download_fetches_what_is_missing_once(mirror, tmp_path):
    folder, data = mirror
    root = tmp_path / "new" / "folder"
    y = mnist("test", full=True, root=root, download=True).y
    np.testing.assert_array_equal(y, data["t10k"][1])
    assert sorted(p.name for p in root.iterdir()) == [
        "t10k-images-idx3-ubyte.gz",
        "t10k-labels-idx1-ubyte.gz",
    ]
    for path in folder.iterdir():
        path.unlink()  # the second call must not need the mirror
    mnist("test", full=True, root=root, download=True)


def test_altered_download_leaves_nothing_behind(mirror, tmp_path):
    folder, _ = mirror
    path = folder / "t10k-images-idx3-ubyte.gz"
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(ConnectionError, match="incomplete or altered"):
        mnist("test", full=True, root=tmp_path / "r", download=True)
    assert list((tmp_path / "r").iterdir()) == []


def test_next_mirror_is_tried_and_failures_are_listed(mirror, tmp_path, monkeypatch):
    empty = (tmp_path / "empty").as_uri() + "/"
    monkeypatch.setattr(digits, "_MIRRORS", (empty, *digits._MIRRORS))
    assert len(mnist("test", full=True, root=tmp_path / "r", download=True).X) == 3
    monkeypatch.setattr(digits, "_MIRRORS", (empty,))
    with pytest.raises(ConnectionError, match=r"empty/train-images.*"):
        mnist(full=True, root=tmp_path / "r2", download=True)


def test_interrupted_write_leaves_no_half_written_file(tmp_path, monkeypatch):
    def disk_full(*_):
        raise OSError("no space left on device")

    monkeypatch.setattr(digits.os, "replace", disk_full)
    with pytest.raises(OSError, match="no space"):
        digits._write_whole(tmp_path / "file", b"1234")
    assert list(tmp_path.iterdir()) == []


# --- relatives of damaged files -------------------------------------------------------------


def test_missing_subset_is_named_with_the_remedy(tmp_path, monkeypatch):
    monkeypatch.setattr(digits, "_SUBSET", tmp_path / "mnist7k.npz")
    digits._load_subset.cache_clear()
    try:
        with pytest.raises(FileNotFoundError, match=r"ship with nnlite are missing.*reinstall"):
            mnist()
    finally:
        digits._load_subset.cache_clear()


def _write(root, prefix, images, labels):
    (root / f"{prefix}-images-idx3-ubyte").write_bytes(idx_bytes(images))
    (root / f"{prefix}-labels-idx1-ubyte").write_bytes(idx_bytes(labels))


@pytest.mark.parametrize("shape", [(0, 28, 28), (2, 0, 28), (2, 28, 0)])
def test_a_set_without_pixels_is_refused(tmp_path, shape):
    _write(tmp_path, "train", np.zeros(shape, "u1"), np.zeros(shape[0], "u1"))
    with pytest.raises(CorruptDataError, match=r"train images in .* are none"):
        mnist(full=True, root=tmp_path, verify=False)
    assert read_idx(tmp_path / "train-images-idx3-ubyte").shape == shape


def test_training_and_test_images_of_different_sizes_are_not_joined(tmp_path):
    _write(tmp_path, "train", np.zeros((2, 28, 28), "u1"), np.zeros(2, "u1"))
    _write(tmp_path, "t10k", np.zeros((2, 32, 32), "u1"), np.zeros(2, "u1"))
    with pytest.raises(CorruptDataError, match="different sizes"):
        mnist("all", full=True, root=tmp_path, verify=False)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", r"begins with the bytes \(none\)"),
        (b"\0\0\x08", "begins with the bytes 00 00 08"),
        (b"\0\0\x07\x01" + bytes(8), "00 00 07 01"),
        (b"\0\0\x08\x00", "00 00 08 00"),
        (b"\0\0\x08\xff" + bytes(4 * 255), "00 00 08 ff"),
        (b"\0\0\x08\x03" + bytes(11), "truncated: its header of 16 bytes"),
        (b"\0\0\x08\x02" + b"\xff" * 8, "truncated: an array of shape"),
        (b"\0\0\x08\x40" + bytes(4) + b"\xff" * 252, "impossible shape"),
        (gzip.compress(b"\0\0\x08\x01" + bytes(4), mtime=0), r"its name must end in \.gz"),
        (b"<!DOCTYPE html>", "3c 21 44 4f"),
    ],
)
def test_what_is_no_idx_file_is_named(tmp_path, data, message):
    path = tmp_path / "images"
    path.write_bytes(data)
    with pytest.raises(CorruptDataError, match=rf"images .*{message}"):
        read_idx(path)


def test_a_connection_cut_short_is_a_failed_mirror(tmp_path, monkeypatch):
    import http.client

    class Cut:
        def __enter__(self):
            return self

        def __exit__(self, *_):
            return False

        def read(self):
            raise http.client.IncompleteRead(b"12", 10)

    monkeypatch.setattr(digits.urllib.request, "urlopen", lambda *_, **__: Cut())
    with pytest.raises(ConnectionError, match=r"could not download[\s\S]*IncompleteRead"):
        mnist(full=True, root=tmp_path, download=True)


def test_a_folder_that_cannot_be_written_to_is_named_before_anything_is_fetched(
    tmp_path, monkeypatch
):
    def fetch(*_, **__):
        raise AssertionError("fetched")

    monkeypatch.setattr(digits.urllib.request, "urlopen", fetch)
    (tmp_path / "file").touch()
    for root in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(OSError, match=r"cannot be made .*NNLITE_DATA"):
            mnist(full=True, root=root, download=True)
    monkeypatch.setattr(digits.os, "access", lambda *_: False)  # root may do everything
    with pytest.raises(PermissionError, match=r"is read-only; .*root="):
        mnist(full=True, root=tmp_path, download=True)
