# SPDX-License-Identifier: Apache-2.0
"""
A template for python-dbusmock: systemd as far as it starts and stops units. What a unit does is in its name:
fails-*.service ends its job with "failed", never-*.service never ends it, early-*.service is done before the answer to
who asked. Each call is a line of the file that KC_JOBS_LOG names.
"""

import os

import dbus
from dbusmock import mockobject
from gi.repository import GLib

BUS_NAME = 'org.freedesktop.systemd1'
MAIN_OBJ = '/org/freedesktop/systemd1'
MAIN_IFACE = 'org.freedesktop.systemd1.Manager'
UNIT_IFACE = 'org.freedesktop.systemd1.Unit'
SYSTEM_BUS = True

jobs = [0]


def path_of(name):
    return MAIN_OBJ + '/unit/' + ''.join(c if c.isalnum() else '_%02x' % ord(c) for c in name)


def note(*words):
    with open(os.environ['KC_JOBS_LOG'], 'a', encoding='utf-8') as log:
        log.write(' '.join(map(str, words)) + '\n')


def load(mock, _parameters):
    mock.AddProperties(MAIN_IFACE, {'Version': '239'})
    for unit in os.environ['KC_JOBS_UNITS'].split():
        name, active = unit.split('=')
        mock.AddObject(path_of(name), UNIT_IFACE, {
            'Id': name,
            'LoadState': 'loaded',
            'ActiveState': active,
            'SubState': 'running' if active == 'active' else 'dead',
            'UnitFileState': 'disabled',
            'FragmentPath': '/usr/lib/systemd/system/' + name,
            'NeedDaemonReload': False,
        }, [])
        mockobject.objects[path_of(name)].AddProperties('org.freedesktop.systemd1.Service', {
            'MainPID': dbus.UInt32(0),
            'Result': 'exit-code' if active == 'failed' else 'success',
        })


def begin_job(mock, name, state):
    if path_of(name) not in mockobject.objects:
        raise dbus.exceptions.DBusException(f'Unit {name} not found.', name='org.freedesktop.systemd1.NoSuchUnit')
    jobs[0] += 1
    job = f'{MAIN_OBJ}/job/{jobs[0]}'
    result = 'failed' if name.startswith('fails-') else 'done'

    def end():
        if result == 'done':
            unit = mockobject.objects[path_of(name)]
            unit.props[UNIT_IFACE]['ActiveState'] = state
            unit.props[UNIT_IFACE]['SubState'] = 'running' if state == 'active' else 'dead'
        # One of somebody else's comes in between.
        mock.EmitSignal(MAIN_IFACE, 'JobRemoved', 'uoss', [7, MAIN_OBJ + '/job/999', name, 'canceled'])
        mock.EmitSignal(MAIN_IFACE, 'JobRemoved', 'uoss', [jobs[0], job, name, result])
        return False

    if name.startswith('early-'):
        end()
    elif not name.startswith('never-'):
        GLib.timeout_add(50, end)
    return job


@dbus.service.method(MAIN_IFACE, in_signature='', out_signature='')
def Subscribe(self):
    pass


@dbus.service.method(MAIN_IFACE, in_signature='', out_signature='')
def Reload(self):
    note('reload')


@dbus.service.method(MAIN_IFACE, in_signature='ss', out_signature='o')
def StartUnit(self, name, mode):
    note('start', name, mode)
    return begin_job(self, name, 'active')


@dbus.service.method(MAIN_IFACE, in_signature='ss', out_signature='o')
def StopUnit(self, name, mode):
    note('stop', name, mode)
    return begin_job(self, name, 'inactive')


@dbus.service.method(MAIN_IFACE, in_signature='ss', out_signature='o')
def RestartUnit(self, name, mode):
    note('restart', name, mode)
    return begin_job(self, name, 'active')


@dbus.service.method(MAIN_IFACE, in_signature='s', out_signature='o')
def GetUnit(self, name):
    if path_of(name) not in mockobject.objects:
        raise dbus.exceptions.DBusException(f'Unit {name} not loaded.', name='org.freedesktop.systemd1.NoSuchUnit')
    return path_of(name)


@dbus.service.method(MAIN_IFACE, in_signature='s', out_signature='s')
def GetUnitFileState(self, name):
    raise dbus.exceptions.DBusException('No such file', name='org.freedesktop.DBus.Error.FileNotFound')
