"""Files written whole or not at all.

Data go into a temporary file beside the target, which then takes the target's place in one instant:
readers, a crash, a full disk and a second writer see the old file or the new one. The writer holds
a lock on its temporary file, and the system lets go of it when a process is killed; so the next
writer can tell what a dead one has left behind, and removes it.
"""

import contextlib
import os
import secrets
import stat
import time
from collections.abc import Iterable
from pathlib import Path
from typing import IO, Any

try:
    import fcntl as _fcntl

    fcntl: Any = _fcntl
except ImportError:  # Windows, browsers
    fcntl = None

_SUFFIX = ".nnlite-part"
_OLD = 3600.0  # seconds; where files cannot be locked, older temporary ones are abandoned


def path_argument(where: str, path: Any) -> Path:
    """``path`` as a Path.

    Raises
    ------
    TypeError
        If it is not a path: an open file, for instance.
    """
    if isinstance(path, str | bytes | os.PathLike):
        return Path(os.fsdecode(path))
    hint = " Pass its name instead." if hasattr(path, "read") or hasattr(path, "write") else ""
    raise TypeError(f"{where} takes the path of a file first; got {type(path).__name__}.{hint}")


def write_whole(path: Path, pieces: Iterable[Any]) -> None:
    """Write pieces of bytes to a file that is then replaced as a whole.

    A symbolic link stays one: the file it leads to is replaced. An existing file's permissions and,
    where that is permitted, its owner are kept. Of several hard links to one file only this one
    gets the new content: no file can be replaced in an instant under two names.

    Raises
    ------
    FileNotFoundError
        If the folder does not exist.
    OSError
        If the target cannot be replaced: a folder, a device, a read-only file, a circle of links.
    """
    target = Path(os.path.realpath(path))
    before = _replaceable(path, target)
    prefix = f".{target.name[:40]}."
    _remove_abandoned(target.parent, prefix)
    file, temporary = _temporary(target.parent, prefix)
    try:
        with file:
            for piece in pieces:
                file.write(piece)
            file.flush()
            os.fsync(file.fileno())
            if before is not None:
                _make_alike(temporary, before)
            if fcntl is not None:
                os.replace(temporary, target)  # while the lock is held
        if fcntl is None:
            os.replace(temporary, target)  # Windows renames closed files only
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def _replaceable(path: Path, target: Path) -> os.stat_result | None:
    """The status of the file to be replaced, None if there is none yet."""
    if not target.parent.is_dir():
        raise FileNotFoundError(f"there is no folder {str(target.parent)!r}; make it first.")
    if target.is_symlink():
        raise OSError(f"{path} is a symbolic link that leads in a circle.")
    if not os.access(target.parent, os.W_OK):
        raise PermissionError(f"the folder {str(target.parent)!r} is read-only; choose another.")
    if not target.exists():
        return None
    if target.is_dir():
        raise IsADirectoryError(f"{path} is a folder; name a file in it.")
    if not target.is_file():
        raise OSError(f"{path} is not an ordinary file (a device or a pipe), so it is left alone.")
    if not os.access(target, os.W_OK):
        raise PermissionError(f"{path} is read-only; permit writing or choose another name.")
    return target.stat()


def _make_alike(temporary: Path, before: os.stat_result) -> None:
    """Give a file the owner and the permissions that another has."""
    now = temporary.stat()
    if (now.st_uid, now.st_gid) != (before.st_uid, before.st_gid):
        with contextlib.suppress(PermissionError):  # only root may give files away
            os.chown(temporary, before.st_uid, before.st_gid)
    os.chmod(temporary, stat.S_IMODE(before.st_mode))


def _temporary(folder: Path, prefix: str) -> tuple[IO[bytes], Path]:
    """A new file, open and locked."""
    while True:
        path = folder / f"{prefix}{secrets.token_hex(4)}{_SUFFIX}"
        file = open(path, "xb")  # noqa: SIM115, the caller closes it
        _lock(file)
        if path.exists():  # nobody took it for abandoned before it was locked
            return file, path
        file.close()


def _remove_abandoned(folder: Path, prefix: str) -> None:
    for name in os.listdir(folder):
        if name.startswith(prefix) and name.endswith(_SUFFIX) and _abandoned(folder / name):
            with contextlib.suppress(PermissionError):  # another user's, in a shared folder
                (folder / name).unlink(missing_ok=True)


def _abandoned(path: Path) -> bool:
    try:
        if fcntl is None:
            return time.time() - path.stat().st_mtime > _OLD
        with open(path, "rb") as file:
            return _lock(file)
    except OSError:  # it has just been renamed, or belongs to another user
        return False


def _lock(file: IO[bytes]) -> bool:
    """Lock a file unless somebody else has; tell whether that worked."""
    if fcntl is None:
        return False
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:  # locked, or on a file system without locks
        return False
    return True
