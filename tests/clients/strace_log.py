"""Reads `strace -f -y` logs: was the journal synced between a request and its reply?"""

from __future__ import annotations

import re

CALL = re.compile(r"^(?P<pid>\d+)\s+(?P<name>\w+)\((?P<rest>.*)$")
RESUMED = re.compile(r"^(?P<pid>\d+)\s+<\.\.\. (?P<name>\w+) resumed>(?P<rest>.*)$")
FILE = re.compile(r"^\d+<(?P<path>[^>]*)>")
READS = {"read", "recvfrom", "recvmsg", "readv"}
REPLIES = {"write", "writev", "sendto", "sendmsg"}
SYNCS = {"fdatasync", "fsync", "sync_file_range"}
FILE_WRITES = {"pwrite64", "pwritev", "pwritev2", "write", "writev"}


def events(lines):
    """Yields (name, path, text, begins, ends) in the order of the log."""
    open_calls: dict[tuple[str, str], str] = {}
    for line in lines:
        if found := RESUMED.match(line):
            path = open_calls.pop((found["pid"], found["name"]), "")
            yield found["name"], path, found["rest"], False, True
        elif found := CALL.match(line):
            file = FILE.match(found["rest"])
            path = file["path"] if file else ""
            unfinished = found["rest"].endswith("<unfinished ...>")
            if unfinished:
                open_calls[found["pid"], found["name"]] = path
            yield found["name"], path, found["rest"], True, not unfinished


def syncs_before_reply(lines, request_id: str, folder: str) -> list[str]:
    """The files under `folder` whose last write before the reply was synced in time.

    Only syncs that end after the request was read and before the reply begins count; a file
    written again between its sync and the reply does not. Empty when no reply is found.
    """
    asked = False
    synced: list[str] = []
    for name, path, text, begins, ends in events(lines):
        on_socket = "socket:" in path or "TCP" in path
        if name in READS and on_socket and request_id in text:
            asked, synced = True, []
        elif not asked:
            continue
        elif name in SYNCS and ends and text.rstrip().endswith("= 0") and folder in path:
            synced = [*(known for known in synced if known != path), path]
        elif name in FILE_WRITES and begins and path in synced:
            synced.remove(path)
        elif name in REPLIES and begins and on_socket and "HTTP/1.1 " in text:
            return synced
    return []
