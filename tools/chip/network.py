"""Stands in for the chip's module network. The radio is modelled in the simulator; what is here only asks it.
WLAN is an object in place of a class, because a class would hold its constants in a dictionary."""

import time

import pc
import soc


class _Interface:
    def __init__(self, number):
        self._number = number

    def scan(self):
        time.sleep_ms(pc.ask("scan_time"))
        return pc.ask("wlan.scan", self._number)

    def __getattr__(self, name):
        return pc.lookup(soc.WLAN_METHODS, name, "wlan.", self._number)


class _Wlan:
    def __call__(self, _interface=0):
        if _interface not in (0, 1):
            raise ValueError(soc.BAD_INTERFACE)
        return _Interface(_interface)

    def __getattr__(self, name):
        return pc.lookup(soc.WLAN, name)


WLAN = _Wlan()


def __getattr__(name):
    return pc.lookup(soc.NETWORK, name, "net.")
