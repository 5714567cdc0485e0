"""Files on disk: links, permissions, full disks, killed writers."""

import errno
import os
import signal
import stat
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

import nnlite
from nnlite.weights import files

OLD, NEW = {"w": np.zeros(3)}, {"w": np.ones(3)}

posix = pytest.mark.skipif(
    os.name != "posix" or sys.platform == "emscripten", reason="permissions and links of POSIX"
)
locks = pytest.mark.skipif(files.fcntl is None, reason="no file locks here")


def _value(path):
    return nnlite.load(path)["w"][0]


@posix
def test_a_symbolic_link_stays_one_and_its_target_is_written(tmp_path):
    (tmp_path / "store").mkdir()
    target, link, chain = tmp_path / "store" / "target", tmp_path / "link", tmp_path / "chain"
    nnlite.save(target, OLD)
    link.symlink_to("store/target")
    chain.symlink_to(link)
    nnlite.save(chain, NEW)
    assert chain.is_symlink()
    assert link.is_symlink()
    assert not target.is_symlink()
    assert _value(target) == _value(link) == 1
    assert sorted(os.listdir(tmp_path)) == ["chain", "link", "store"]
    assert os.listdir(tmp_path / "store") == ["target"]


@posix
def test_a_dangling_link_gets_its_target_and_a_circle_is_refused(tmp_path):
    (tmp_path / "link").symlink_to("target")
    nnlite.save(tmp_path / "link", NEW)
    assert (tmp_path / "link").is_symlink()
    assert _value(tmp_path / "target") == 1
    (tmp_path / "away").symlink_to("nowhere/target")
    with pytest.raises(FileNotFoundError, match="no folder"):
        nnlite.save(tmp_path / "away", NEW)
    (tmp_path / "circle").symlink_to("circle")
    with pytest.raises(OSError, match="leads in a circle"):
        nnlite.save(tmp_path / "circle", NEW)


@posix
def test_of_two_hard_links_the_named_one_is_replaced(tmp_path):
    nnlite.save(tmp_path / "a", OLD)
    os.link(tmp_path / "a", tmp_path / "b")
    nnlite.save(tmp_path / "a", NEW)
    assert (_value(tmp_path / "a"), _value(tmp_path / "b")) == (1, 0)


@posix
@pytest.mark.parametrize("mode", [0o600, 0o640, 0o666])
def test_permissions_of_an_existing_file_are_kept(tmp_path, mode):
    nnlite.save(tmp_path / "s", OLD)
    os.chmod(tmp_path / "s", mode)
    nnlite.save(tmp_path / "s", NEW)
    assert stat.S_IMODE(os.stat(tmp_path / "s").st_mode) == mode


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can")
def test_root_leaves_a_file_to_its_owner(tmp_path):
    nnlite.save(tmp_path / "s", OLD)
    os.chown(tmp_path / "s", 1234, 2345)
    os.chmod(tmp_path / "s", 0o640)
    nnlite.save(tmp_path / "s", NEW)
    found = os.stat(tmp_path / "s")
    assert (found.st_uid, found.st_gid, stat.S_IMODE(found.st_mode)) == (1234, 2345, 0o640)


@posix
def test_the_umask_rules_a_new_file(tmp_path):
    before = os.umask(0o077)
    try:
        nnlite.save(tmp_path / "s", NEW)
    finally:
        os.umask(before)
    assert stat.S_IMODE(os.stat(tmp_path / "s").st_mode) == 0o600


def test_what_cannot_be_replaced_is_left_alone(tmp_path, monkeypatch):
    (tmp_path / "folder").mkdir()
    with pytest.raises(IsADirectoryError, match="is a folder; name a file in it"):
        nnlite.save(tmp_path / "folder", NEW)
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "pipe")
        for path in (tmp_path / "pipe", "/dev/null"):
            with pytest.raises(OSError, match="not an ordinary file"):
                nnlite.save(path, NEW)
    nnlite.save(tmp_path / "s", OLD)
    real = os.access
    for denied, message in ((tmp_path / "s", "s is read-only"), (tmp_path, "folder .* read-only")):
        denies = os.path.realpath(denied)  # root may do everything, so it is said otherwise
        monkeypatch.setattr(
            files.os, "access", lambda p, m, d=denies: os.fspath(p) != d and real(p, m)
        )
        with pytest.raises(PermissionError, match=message):
            nnlite.save(tmp_path / "s", NEW)
    monkeypatch.undo()
    assert _value(tmp_path / "s") == 0


@pytest.mark.parametrize("name", ["x" * 200, "ω" * 100, ".hidden", "with space", "a*b?[c]"])
def test_odd_names_work(tmp_path, name):
    for state in (OLD, NEW):
        nnlite.save(tmp_path / name, state)
    assert os.listdir(tmp_path) == [name]
    assert _value(tmp_path / name) == 1


@pytest.mark.parametrize("error", [OSError(errno.ENOSPC, "no space"), KeyboardInterrupt()])
def test_a_full_disk_or_an_interrupt_leaves_the_old_file_and_nothing_else(
    tmp_path, monkeypatch, error
):
    nnlite.save(tmp_path / "s", OLD)

    def fail(_):
        raise error

    monkeypatch.setattr(files.os, "fsync", fail)
    with pytest.raises(type(error)):
        nnlite.save(tmp_path / "s", NEW)
    monkeypatch.undo()
    assert os.listdir(tmp_path) == ["s"]
    assert _value(tmp_path / "s") == 0


WRITER = """
import os, sys, time
import numpy as np
import nnlite
from nnlite.weights import files
def wait(_):
    print("writing", flush=True)
    time.sleep(100)
files.os.fsync = wait
nnlite.save(sys.argv[1], {"w": np.full(3, 2.0)})
"""


@locks
def test_the_next_save_removes_what_a_killed_one_left_and_nothing_of_a_living_one(tmp_path):
    path = tmp_path / "s"
    nnlite.save(path, OLD)
    package = str(Path(nnlite.__file__).parents[1])
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", WRITER, str(path)],
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": package},
        )
        for _ in range(2)
    ]
    try:
        for writer in writers:
            assert writer.stdout.readline() == b"writing\n"
        writers[0].send_signal(signal.SIGKILL)
        writers[0].wait()
        (tmp_path / ".s.of-somebody-else").touch()
        (tmp_path / ".other.12345678.nnlite-part").touch()
        assert len(os.listdir(tmp_path)) == 5
        nnlite.save(path, NEW)
        left = sorted(os.listdir(tmp_path))
        assert len(left) == 4, left  # the living writer's, two of others, the file
        assert _value(path) == 1
    finally:
        for writer in writers:
            writer.kill()
            writer.wait()
            writer.stdout.close()
    nnlite.save(path, NEW)
    assert sorted(os.listdir(tmp_path)) == [
        ".other.12345678.nnlite-part",
        ".s.of-somebody-else",
        "s",
    ]


def test_without_locks_only_old_temporary_files_are_removed(tmp_path, monkeypatch):
    monkeypatch.setattr(files, "fcntl", None)
    young, old = (tmp_path / f".s.{i}.nnlite-part" for i in "12")
    young.touch()
    old.touch()
    os.utime(old, (0, 0))
    nnlite.save(tmp_path / "s", NEW)
    assert sorted(os.listdir(tmp_path)) == [young.name, "s"]
    assert _value(tmp_path / "s") == 1


@locks
def test_what_another_user_has_left_is_no_hindrance(tmp_path, monkeypatch):
    left = tmp_path / ".s.12345678.nnlite-part"
    left.touch()
    unlink = Path.unlink

    def theirs(path, missing_ok=False):
        if path == left:
            raise PermissionError(path)
        unlink(path, missing_ok)

    monkeypatch.setattr(Path, "unlink", theirs)
    nnlite.save(tmp_path / "s", NEW)
    monkeypatch.undo()
    assert _value(tmp_path / "s") == 1
    assert left.exists()


def test_many_writers_at_once_leave_one_whole_file(tmp_path):
    def write(i):
        for _ in range(10):
            nnlite.save(tmp_path / "s", {"w": np.full(1000, i)})

    threads = [threading.Thread(target=write, args=(i,)) for i in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert os.listdir(tmp_path) == ["s"]
    assert len(set(nnlite.load(tmp_path / "s")["w"])) == 1
