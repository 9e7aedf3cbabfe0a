# SPDX-License-Identifier: Apache-2.0
"""
The fault matrix of conversations, as a table: whom a check asks, in every state that they can be in, and the verdict
of the rule that depends on it. README.md beside this file has the words.
"""

BUS = "/run/dbus/system_bus_socket"
CRIO = "/run/crio/crio.sock"

# What may stand in the place of a socket; "left" is one that nobody listens to any more.
PLACES = ("absent", "left", "file", "directory", "fifo", "loop", "dangling")


class Talk:
    """`expect`: state to verdicts. A state that may pass has its reason in `why`."""

    def __init__(self, with_whom, check, expect, parameters=None, why=None):
        self.with_whom, self.check, self.parameters = with_whom, check, parameters or {}
        self.name = f"{with_whom} by {check}"
        self.expected = {}
        for word in expect.split():
            states, verdicts = word.split(":")
            for state in states.split(","):
                assert state not in self.expected, (self.name, state)
                self.expected[state] = set(verdicts.split("|"))
        for state, verdicts in self.expected.items():
            assert "pass" not in verdicts or (why or {}).get(
                state
            ), f"{self.name}: {state} may pass, and the table does not say why"


TALKS = [
    Talk(
        "bus",
        "systemd.unit",
        "good,answers:pass one-answer:error "
        "absent,left,file,directory,fifo,loop,dangling:error "
        "silent,deaf,no-hello,refuses,rubbish,hangs-up,rejects,other-types,garbage,endless,cut:error",
        {"unit": "crio.service", "active": "active"},
        {
            "good": "it is active",
            "answers": "it is active",
        },
    ),
    Talk(
        "bus",
        "firewalld.default-zone",
        "answers:pass "
        "good,absent,left,file,directory,fifo,loop,dangling:error "
        "silent,deaf,no-hello,refuses,rubbish,hangs-up,rejects,other-types,garbage,endless,cut:error",
        {"zone": "trusted", "other-zones": ["public"]},
        {"answers": "the zone is trusted"},
    ),
    Talk(
        "runtime",
        "cri.answers",
        "crio,crio-1.37,grpc-only,v1alpha2,once,goaway-after,second-dies:pass "
        "absent,left,file,directory,fifo,dangling:fail loop:error "
        "unimplemented,not-ready,starting,deadline,internal,secrets:fail forbidden:error "
        "silent,full,drip,stall,rubbish,http1,http2-web,close,hang-up,half,crash:fail "
        "truncated,undecodable,empty,compressed,no-status,reset,goaway,huge,fields,pings,bad-frame:fail",
        {"endpoint": "unix://" + CRIO, "timeout": "500ms"},
        {
            "crio": "it answers",
            "crio-1.37": "it answers",
            "grpc-only": "it answers, and /info decides nothing",
            "v1alpha2": "it answers by the older version",
            "once": "another connection is made for what is still to be asked",
            "goaway-after": "another connection is made for what is still to be asked",
            "second-dies": "another connection is made for what is still to be asked",
        },
    ),
    # GET /info, for which a runtime that answers it at all is as good as any.
    Talk(
        "runtime",
        "crio.cgroup-manager",
        "crio,crio-1.37:pass absent,left,dangling:skip file,directory,fifo,loop:error "
        "silent,full,drip,rubbish,http1,close,hang-up,crash,bad-frame,pings,grpc-only:error",
        {"manager": "systemd"},
        {"crio": "it answers", "crio-1.37": "it answers"},
    ),
    # GET /config
    Talk(
        "runtime",
        "crio.conmon",
        "crio,crio-1.37:pass absent,left,dangling:skip file,directory,fifo,loop:error "
        "silent,full,drip,rubbish,http1,close,hang-up,crash,bad-frame,pings,grpc-only:error",
        {},
        {"crio": "it answers", "crio-1.37": "it answers"},
    ),
    # Version
    Talk(
        "runtime",
        "software.versions",
        "crio,v1alpha2,once,goaway-after:pass crio-1.37:fail absent,left,dangling:skip file,directory,fifo,loop:error "
        "unimplemented,starting,deadline,internal,forbidden:error "
        "silent,full,drip,stall,rubbish,http1,http2-web,close,hang-up,half,crash:error "
        "truncated,undecodable,empty,compressed,no-status,reset,goaway,huge,fields,pings,bad-frame:error",
        {"version": "1.18", "programs": ["crio"], "endpoint": "unix://" + CRIO},
        {
            "crio": "it is of that version",
            "v1alpha2": "it is of that version",
            "once": "it is of that version",
            "goaway-after": "it is of that version",
        },
    ),
    Talk(
        "kubelet",
        "cluster.kubelet-health",
        "good:pass absent,deaf,silent,rubbish,endless,endless-head,half,close,ill,moved,lies:fail",
        {"timeout": "500ms"},
        {"good": "it says ok"},
    ),
]
