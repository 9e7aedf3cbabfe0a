#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""
What a tree is made of, and in what two of them differ:

    tree.py snapshot ROOT                 a JSON line for each entry below ROOT, and for ROOT itself, to standard output
    tree.py compare BEFORE AFTER          a line for each difference; each is such a snapshot, or a folder

    --except PATH      leaves PATH and what is below it out; may be repeated. From ROOT, with or without a slash in front
    --any-mtime PATH   does not look when PATH, which is compared otherwise, was changed: a folder in which something that
                       is left out has come or gone; may be repeated

Exit: 0 no difference, 1 some, 2 trouble, such as a file that cannot be read.

An entry has: path, type, mode (without the type), uid, gid, mtime in nanoseconds, every extended attribute (ACLs and the
label are such); size and content's hash of regular files; target of symbolic links; numbers of devices; how many names a
file has and which other entry is the same file; inode flags of files and folders. Not atime, ctime, and inode numbers, of
which no program can make others; nor what the file system does for itself: a folder's size and its number of links, and
flags for how it stores things.
"""

import argparse
import array
import errno
import fcntl
import hashlib
import json
import os
import stat
import sys

TYPES = {
    stat.S_IFREG: "file",
    stat.S_IFDIR: "folder",
    stat.S_IFLNK: "link",
    stat.S_IFIFO: "fifo",
    stat.S_IFSOCK: "socket",
    stat.S_IFCHR: "character device",
    stat.S_IFBLK: "block device",
}
# linux/fs.h. How the file system stores it: compressed clusters, an index of names, extents, within the inode.
GET_FLAGS = 0x80086601
ITS_OWN_FLAGS = 0x100 | 0x200 | 0x800 | 0x1000 | 0x80000 | 0x10000000
NO_FLAGS = (errno.ENOTTY, errno.EOPNOTSUPP, errno.EINVAL, errno.ENOSYS)


class Trouble(Exception):
    pass


def within(path, tops):
    return any(path == top or path.startswith(top + "/") for top in tops)


def from_root(paths):
    return {os.path.normpath(path.strip("/") or ".") for path in paths}


def xattrs(path):
    try:
        names = os.listxattr(path, follow_symlinks=False)
    except OSError as e:
        if e.errno == errno.EOPNOTSUPP:
            return {}
        raise
    return {name: os.getxattr(path, name, follow_symlinks=False).hex() for name in sorted(names)}


def flags(fd):
    value = array.array("l", [0])
    try:
        fcntl.ioctl(fd, GET_FLAGS, value, True)
    except OSError as e:
        if e.errno in NO_FLAGS:
            return None
        raise
    return value[0] & 0xFFFFFFFF & ~ITS_OWN_FLAGS


def digest(fd):
    hashed = hashlib.sha256()
    while True:
        part = os.read(fd, 1 << 20)
        if not part:
            return hashed.hexdigest()
        hashed.update(part)


def look_inside(path, entry, st):
    """What takes opening; nothing but files and folders is opened, for of a device that would be an act."""
    fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        if not os.path.samestat(os.fstat(fd), st):
            raise Trouble(f"{path}: another file has taken its place")
        entry["flags"] = flags(fd)
        if entry["type"] == "file":
            entry["sha256"] = digest(fd)
    finally:
        os.close(fd)


def look(root, path, inodes):
    """The entry of one path from the root."""
    full = os.path.join(root, path)
    st = os.lstat(full)
    kind = TYPES[stat.S_IFMT(st.st_mode)]
    entry = {
        "path": path,
        "type": kind,
        "mode": format(stat.S_IMODE(st.st_mode), "04o"),
        "uid": st.st_uid,
        "gid": st.st_gid,
        "mtime": st.st_mtime_ns,
        "xattrs": xattrs(full),
    }
    if kind != "folder":
        entry["nlink"] = st.st_nlink
        entry["same_as"] = inodes.setdefault((st.st_dev, st.st_ino), path)
    if kind == "file":
        entry["size"] = st.st_size
    if kind == "link":
        entry["target"] = os.readlink(full)
    if kind.endswith("device"):
        entry["device"] = [os.major(st.st_rdev), os.minor(st.st_rdev)]
    if kind in ("file", "folder"):
        look_inside(full, entry, st)
    return entry


def snapshot(root, excepted=()):
    """The entries of a tree, in the order of their paths, without those that are excepted."""
    excepted = from_root(excepted)
    inodes, entries, todo = {}, [], ["."]
    if not stat.S_ISDIR(os.lstat(root).st_mode):
        raise Trouble(f"{root}: no folder")
    while todo:
        path = todo.pop()
        if within(path, excepted):
            continue
        entry = look(root, path, inodes)
        entries.append(entry)
        if entry["type"] == "folder":
            names = sorted(os.listdir(os.path.join(root, path)), reverse=True)
            todo += [name if path == "." else path + "/" + name for name in names]
    return entries


def shown(value):
    return json.dumps(value)


def compare_entries(path, before, after, ignored):
    for key in sorted({*before, *after} - ignored):
        was, is_now = before.get(key), after.get(key)
        if key == "xattrs" and isinstance(was, dict) and isinstance(is_now, dict):
            for name in sorted({*was, *is_now}):
                if was.get(name) != is_now.get(name):
                    yield f"{path}: {name} was {shown(was.get(name))}, is {shown(is_now.get(name))}"
        elif was != is_now:
            yield f"{path}: {key} was {shown(was)}, is {shown(is_now)}"


def compare(before, after, excepted=(), any_mtime=()):
    """A sentence for each difference of two lists of entries."""
    excepted, any_mtime = from_root(excepted), from_root(any_mtime)
    was = {entry["path"]: entry for entry in before if not within(entry["path"], excepted)}
    is_now = {entry["path"]: entry for entry in after if not within(entry["path"], excepted)}
    differences = []
    for path in sorted({*was, *is_now}):
        name = path.encode("utf-8", "backslashreplace").decode()
        if path not in is_now:
            differences.append(f"{name}: is gone, was a {was[path]['type']}")
        elif path not in was:
            differences.append(f"{name}: is new, a {is_now[path]['type']}")
        else:
            ignored = {"mtime"} if path in any_mtime else set()
            differences += compare_entries(name, was[path], is_now[path], ignored)
    return differences


def load(path, excepted):
    if os.path.isdir(path):
        return snapshot(path, excepted)
    with open(path, encoding="ascii") as f:
        entries = [json.loads(line) for line in f]
    # A snapshot has its root; one that was cut off at once would compare as an empty tree.
    if not entries or entries[0]["path"] != ".":
        raise Trouble(f"{path}: no snapshot")
    return entries


def main():
    parser = argparse.ArgumentParser(usage=__doc__, add_help=False)
    parser.add_argument("what", choices=["snapshot", "compare"])
    parser.add_argument("trees", nargs="+")
    parser.add_argument("--except", dest="excepted", action="append", default=[])
    parser.add_argument("--any-mtime", action="append", default=[])
    args = parser.parse_args()
    if len(args.trees) != (1 if args.what == "snapshot" else 2):
        parser.error("how many trees?")
    try:
        if args.what == "snapshot":
            for entry in snapshot(args.trees[0], args.excepted):
                print(json.dumps(entry))
            return 0
        before, after = (load(tree, args.excepted) for tree in args.trees)
    except (OSError, ValueError, KeyError, Trouble) as e:
        print(f"tree.py: {e}", file=sys.stderr)
        return 2
    differences = compare(before, after, args.excepted, args.any_mtime)
    for difference in differences:
        print(difference)
    return 1 if differences else 0


if __name__ == "__main__":
    sys.exit(main())
