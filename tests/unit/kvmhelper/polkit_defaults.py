# SPDX-License-Identifier: LGPL-2.1-or-later
"""A template of python-dbusmock: a polkit that decides as the real one does where nobody types a password: root may all, others what the
shipped policy's defaults give to the kind of their session, the driver's user what the shipped rule names."""
import re
import xml.etree.ElementTree

import dbus
from dbusmock import MOCK_IFACE

BUS_NAME = 'org.freedesktop.PolicyKit1'
MAIN_OBJ = '/org/freedesktop/PolicyKit1/Authority'
MAIN_IFACE = 'org.freedesktop.PolicyKit1.Authority'
SYSTEM_BUS = True


def load(mock, parameters):
    mock.kinds = {}
    mock.defaults = {}
    mock.asked = []
    mock.hanging = []
    mock.cancelled = 0
    for action in xml.etree.ElementTree.parse(str(parameters['policy'])).getroot().iter('action'):
        mock.defaults[action.get('id')] = {item.tag: item.text.strip() for item in action.find('defaults')}
    with open(str(parameters['rules'])) as file:
        mock.rule = re.findall('"(org[.]libvirt[.]ppc64[.][a-z.]+)"', file.read())


def decide(mock, kind, action):
    if kind == 'root':
        return 'yes'
    if kind == 'driver':
        return 'yes' if action in mock.rule else 'no'
    if kind == 'unauthorised' or action not in mock.defaults:
        return 'no'
    return mock.defaults[action][{'active': 'allow_active', 'inactive': 'allow_inactive', 'remote': 'allow_any'}[kind]]


@dbus.service.method(MAIN_IFACE, in_signature='(sa{sv})sa{ss}us', out_signature='(bba{ss})', async_callbacks=('ok_cb', '_err_cb'))
def CheckAuthorization(self, subject, action, details, flags, _cancellation, ok_cb, _err_cb):
    kind = self.kinds.get(subject[1]['name'], 'unauthorised') if subject[0] == 'system-bus-name' else 'unauthorised'
    if kind == 'hang':
        self.hanging.append(ok_cb)
        return
    answer = decide(self, kind, action)
    ok_cb((answer == 'yes', answer.startswith('auth_'), {}))


@dbus.service.method(MAIN_IFACE, in_signature='s')
def CancelCheckAuthorization(self, _cancellation):
    self.cancelled += 1


@dbus.service.method(MOCK_IFACE, in_signature='ss')
def SetKind(self, name, kind):
    self.kinds[name] = kind


@dbus.service.method(MOCK_IFACE, in_signature='ss', out_signature='s')
def Decide(self, kind, action):
    return decide(self, kind, action)


@dbus.service.method(MOCK_IFACE, out_signature='uu')
def Questions(self):
    return (len(self.hanging), self.cancelled)
