"""Stands in for the chip's module network. The radio is modelled in the simulator; what is here only asks it.
Constants are looked up in a text that stays in ROM, because a dictionary of them would take heap."""

import pc
import soc


class _Interface:
    def __init__(self, number):
        self._number = number

    def __getattr__(self, name):
        if " %s " % name not in soc.WLAN_METHODS:
            raise AttributeError(name)
        return lambda *args, **kw: pc.ask("wlan." + name, self._number, *args, **kw)

    def scan(self):
        return list(pc.ask("wlan.scan", self._number))

    def connect(self, ssid=None, key=None, *, bssid=None):
        if isinstance(ssid, bytes):
            ssid = ssid.decode()
        if isinstance(key, bytes):
            key = key.decode()
        pc.ask("wlan.connect", self._number, ssid, key, bssid=pc._out(bssid))


class _Wlan:
    # In place of the class WLAN, whose constants would otherwise be a dictionary, too.
    def __call__(self, interface=0):
        if interface not in (0, 1):
            raise ValueError(soc.BAD_INTERFACE)
        return _Interface(interface)

    def __getattr__(self, name):
        return pc.constant(soc.WLAN, name)


WLAN = _Wlan()


def hostname(*name):
    return pc.ask("net.hostname", *name)


def country(*code):
    return pc.ask("net.country", *code)


def ipconfig(*key, **options):
    return pc.ask("net.ipconfig", *key, **options)


def phy_mode(*mode):
    return pc.ask("net.phy_mode", *mode)


def __getattr__(name):
    return pc.constant(soc.NETWORK, name)
