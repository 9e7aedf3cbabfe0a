# SPDX-License-Identifier: Apache-2.0
"""A template for python-dbusmock: systemd as far as questions about units go."""

import dbus
from dbusmock import mockobject

BUS_NAME = 'org.freedesktop.systemd1'
MAIN_OBJ = '/org/freedesktop/systemd1'
MAIN_IFACE = 'org.freedesktop.systemd1.Manager'
SYSTEM_BUS = True

PATHS = {
    'crio.service': MAIN_OBJ + '/unit/crio_2eservice',
    'kubelet.service': MAIN_OBJ + '/unit/kubelet_2eservice',
    'swap.target': MAIN_OBJ + '/unit/swap_2etarget',
}
FILES = {'firewalld.service': 'disabled', 'NetworkManager.service': 'masked'}


def add_unit(mock, name, load, active, sub, state, reload, own):
    suffix = name.rsplit('.', 1)[1]
    mock.AddObject(PATHS[name], 'org.freedesktop.systemd1.Unit', {
        'Id': name,
        'LoadState': load,
        'ActiveState': active,
        'SubState': sub,
        'UnitFileState': state,
        'FragmentPath': '/usr/lib/systemd/system/' + name,
        'NeedDaemonReload': reload,
        'After': dbus.Array(['network.target'], signature='s'),
        'Documentation': dbus.Array([], signature='s'),
    }, [])
    if own:
        mockobject.objects[PATHS[name]].AddProperties(
            'org.freedesktop.systemd1.' + suffix.capitalize(), own)


def load(mock, _parameters):
    mock.AddProperties(MAIN_IFACE, {
        'Version': '239 (239-82.el8)',
        'NNames': dbus.UInt32(321),
        'UnitPath': dbus.Array(['/etc/systemd/system', '/usr/lib/systemd/system'],
                               signature='s'),
    })
    add_unit(mock, 'crio.service', 'loaded', 'active', 'running', 'enabled', False,
             {'MainPID': dbus.UInt32(1234), 'Result': 'success'})
    add_unit(mock, 'kubelet.service', 'loaded', 'failed', 'failed', 'enabled', True,
             {'MainPID': dbus.UInt32(0), 'Result': 'exit-code'})
    add_unit(mock, 'swap.target', 'loaded', 'active', 'active', 'static', False, None)


@dbus.service.method(MAIN_IFACE, in_signature='s', out_signature='o')
def GetUnit(self, name):
    if str(name) in PATHS:
        return PATHS[str(name)]
    raise dbus.exceptions.DBusException('Unit %s not loaded.' % name,
                                        name='org.freedesktop.systemd1.NoSuchUnit')


@dbus.service.method(MAIN_IFACE, in_signature='s', out_signature='s')
def GetUnitFileState(self, name):
    if str(name) in FILES:
        return FILES[str(name)]
    raise dbus.exceptions.DBusException('No such file or directory',
                                        name='org.freedesktop.DBus.Error.FileNotFound')
