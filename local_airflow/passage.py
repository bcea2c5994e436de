"""Letting one user of the machine through a folder that is closed to others: an entry of the folder's POSIX ACL.

A mode could only open the folder to everybody, or to a group that it may belong to another one for.
"""

from __future__ import annotations

import os
import stat
import struct
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

# How Linux keeps an ACL: a version, then tag, rights and id of each entry, in the order of the tags.
_ATTRIBUTE = "system.posix_acl_access"
_VERSION = struct.pack("<I", 2)
_ENTRY = struct.Struct("<HHI")
_OWNER, _USER, _OWNING_GROUP, _GROUP, _MASK, _OTHER = 0x01, 0x02, 0x04, 0x08, 0x10, 0x20
_NOBODY_NAMED = 0xFFFFFFFF
_PASS = 1


def let_through(folder: Path, uid: int) -> None:
    """Let a user pass through a folder, not list it; nothing changes where everybody may, or where that user may.

    :param folder: the directory; its owner or root asks.
    :param uid: of the user.
    :raises OSError: if the file system keeps no ACL, or nothing may be changed in it.
    """
    mode = folder.stat().st_mode
    if mode & stat.S_IXOTH:
        return
    rights = _read(folder, mode)
    # What holds now for all but owner and others: the mask is about to have one right more.
    mask = rights.pop((_MASK, _NOBODY_NAMED), None)
    if mask is not None:
        rights = {entry: held if entry[0] in (_OWNER, _OTHER) else held & mask for entry, held in rights.items()}
    if rights.get((_USER, uid), 0) & _PASS:
        return
    rights[_USER, uid] = rights.get((_USER, uid), 0) | _PASS
    rights[_MASK, _NOBODY_NAMED] = (rights[_OWNING_GROUP, _NOBODY_NAMED] if mask is None else mask) | _PASS
    packed = b"".join(_ENTRY.pack(tag, held, named) for (tag, named), held in sorted(rights.items()))
    if not hasattr(os, "setxattr"):
        raise OSError("this system has no POSIX ACLs")
    os.setxattr(folder, _ATTRIBUTE, _VERSION + packed)


def let_read(tree: Path) -> None:
    """Let everybody who gets to a tree read it, and run what its owner may run. For what is no secret.

    :param tree: a directory, or nothing at all; its owner or root asks.
    :raises OSError: if nothing may be changed in it.
    """
    for path in (tree, *tree.rglob("*")) if tree.is_dir() else ():
        mode = path.lstat().st_mode
        wanted = mode | 0o444 | (0o111 if mode & stat.S_IXUSR else 0)
        if wanted != mode and not stat.S_ISLNK(mode):
            path.chmod(stat.S_IMODE(wanted))


def _read(folder: Path, mode: int) -> dict[tuple[int, int], int]:
    """The folder's entries by tag and id; those of its mode where it has no more."""
    if _ATTRIBUTE in os.listxattr(folder):
        kept = os.getxattr(folder, _ATTRIBUTE)
        return {(tag, named): held for tag, held, named in _ENTRY.iter_unpack(kept[len(_VERSION) :])}
    shifts = {_OWNER: 6, _OWNING_GROUP: 3, _OTHER: 0}
    return {(tag, _NOBODY_NAMED): mode >> shift & 7 for tag, shift in shifts.items()}
