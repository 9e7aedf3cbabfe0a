#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Prints, as JSON, what a program is started with: all that its parent hands down to it."""

import ctypes
import json
import os
import resource
import signal
import sys

GET_DUMPABLE, GET_KEEPCAPS, GET_TIMERSLACK, GET_CHILD_SUBREAPER, GET_NO_NEW_PRIVS, GET_PDEATHSIG = 3, 7, 30, 37, 39, 2


def prctl(what):
    return ctypes.CDLL(None).prctl(what, 0, 0, 0, 0)


def status():
    with open("/proc/self/status") as f:
        fields = dict(line.rstrip("\n").split(":\t", 1) for line in f if ":\t" in line)
    # Python itself ignores and catches some; those are the same for both.
    names = ("SigBlk", "SigIgn", "Uid", "Gid", "Groups", "CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb", "Seccomp")
    return {name: fields.get(name) for name in names}


def children():
    try:
        os.waitpid(-1, os.WNOHANG)
    except ChildProcessError:
        return 0
    return "some"


def death_signal():
    value = ctypes.c_int()
    ctypes.CDLL(None).prctl(GET_PDEATHSIG, ctypes.byref(value), 0, 0, 0)
    return value.value


umask = os.umask(0)
print(
    json.dumps(
        {
            "pid": os.getpid(),
            "arguments": sys.argv[1:],
            "environment": dict(os.environ),
            "folder": os.getcwd(),
            "root": os.readlink("/proc/self/root"),
            "umask": umask,
            "session": os.getsid(0),
            "group": os.getpgrp(),
            "nice": os.nice(0),
            "scheduler": os.sched_getscheduler(0),
            "processors": sorted(os.sched_getaffinity(0)),
            "limits": {
                name: resource.getrlimit(getattr(resource, name)) for name in dir(resource) if name.startswith("RLIMIT_")
            },
            "descriptors": sorted(int(n) for n in os.listdir("/proc/self/fd"))[:-1],
            "timers": [signal.getitimer(t) for t in (signal.ITIMER_REAL, signal.ITIMER_VIRTUAL, signal.ITIMER_PROF)],
            "status": status(),
            "children": children(),
            "reaps": prctl(GET_CHILD_SUBREAPER),
            "no new privileges": prctl(GET_NO_NEW_PRIVS),
            "dumpable": prctl(GET_DUMPABLE),
            "dies with": death_signal(),
            "slack": prctl(GET_TIMERSLACK),
            "namespaces": {n: os.readlink("/proc/self/ns/" + n) for n in sorted(os.listdir("/proc/self/ns"))},
        }
    )
)
