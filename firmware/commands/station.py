"""The Wi-Fi chapter: the station's addresses, its name and its radio.
Manual: Wi-Fi_AT_Commands.rst of espressif/esp-at, tag v2.3.0.0_esp8266."""

import network

from firmware.at.command import STORE, command
from firmware.at.messages import E_LENGTH, ATError
from firmware.commands import interfaces
from firmware.commands.interfaces import (
    addresses,
    configure,
    set_mac,
    set_protocol,
    show_addresses,
    show_mac,
    show_protocol,
)
from firmware.wifi import UP

_BY_DHCP = "", None, None


def restore(at):
    """The station has been switched on: gives it what was saved."""
    interfaces.restore(
        at,
        (
            ("CIPSTAMAC", _use_mac),
            ("CWSTAPROTO", _use_protocol),
            ("CWBANDWIDTH", _use_bandwidth),
            ("CIPSTA", _use_address),
        ),
    )


def _use_bandwidth(at, *_):
    from firmware.commands.phy import use_bandwidth

    use_bandwidth(at, 0)


@command("AT+CIPSTA", "ip:text15, gateway:text15?, netmask:text15?", saved=STORE)
class Address:
    """IPv4 address, gateway and netmask of the station. Set: a static address, which ends DHCP; without a gateway it is
    number 1 of a network with the netmask 255.255.255.0. Its name servers are those of CIPDNS."""

    def query(at):
        show_addresses(at, "+CIPSTA", at.radio.station, ["0.0.0.0"] * 3)

    def set(at, ip, gateway, netmask):
        if not at.radio.mode & 1:
            raise ATError()
        values = addresses(ip, gateway, netmask)
        at.interpreter.keep(*values)
        _use_address(at, *values)


def _use_address(at, ip, gateway, netmask):
    """A static address; "" stands for DHCP, 0.0.0.0 for none at all."""
    station = at.radio.station
    if ip == "0.0.0.0":
        configure(station.ipconfig, dhcp4=False)
    elif ip:
        configure(station.ipconfig, addr4=(ip, netmask), gw4=gateway)
    else:
        configure(station.ipconfig, dhcp4=True)
    at.radio.check()


@command("AT+CWDHCP", "operate:0..1, mode:0..3", saved=STORE)
class Dhcp:
    """1 starts, 0 stops DHCP of the station (bit 0) and the softAP (bit 1). The station keeps the address that it has.
    No port of MicroPython can stop the softAP's server."""

    def query(at):
        dhcp = at.radio.station.ipconfig("dhcp4")
        if at.settings.stored:
            dhcp = not (at.settings.get("CIPSTA") or _BY_DHCP)[0]
        at.line("+CWDHCP:%d", 2 | dhcp)

    def set(at, operate, mode):
        if mode & 2 and not operate:
            raise ATError()
        values = at.settings.get("CIPSTA") or _BY_DHCP
        if mode & 1:
            if not at.radio.mode & 1:
                raise ATError()
            values = _BY_DHCP
            if not operate:
                ip, netmask, gateway, _ = at.radio.station.ifconfig()
                values = ip, gateway, netmask
            _use_address(at, *values)
        # Of the two commands the last one holds, so there is one entry for both.
        at.interpreter.keep(*values, name="CIPSTA")


@command("AT+CIPSTAMAC", "mac:text17", saved=STORE)
class Mac:
    """MAC address of the station. Set: the station leaves its network, and comes back with the new address."""

    def query(at):
        show_mac(at, "+CIPSTAMAC", at.radio.station)

    def set(at, mac):
        if not at.radio.mode & 1:
            raise ATError()
        was_up = at.radio.state == UP
        _use_mac(at, mac)
        if was_up and at.radio.state != UP:
            at.radio.rejoin()


def _use_mac(at, mac):
    set_mac(at, "CIPSTAMAC", at.radio.station, mac, at.radio.leave)


@command("AT+CWHOSTNAME", "hostname:text32")
class HostName:
    """The name that the station gives itself when it asks for an address. Until the next start."""

    def query(at):
        at.line("+CWHOSTNAME:%s", network.hostname())

    def set(at, hostname):
        if not at.radio.mode & 1:
            raise ATError()
        if not hostname:
            raise ATError(E_LENGTH, 0)
        network.hostname(hostname)


@command("AT+CWSTAPROTO", "protocol:1..15", saved=STORE)
class Protocol:
    """802.11 b, g, n of the station as bits 0 to 2: 1, 3 or 7; on the ESP32 also bit 3, long range. The ESP8266 has one
    setting for both interfaces."""

    def query(at):
        show_protocol(at, "+CWSTAPROTO", 1)

    def set(at, protocol):
        if not at.radio.mode & 1:
            raise ATError()
        _use_protocol(at, protocol)


def _use_protocol(at, protocol):
    set_protocol(at, at.radio.station, protocol)


@command("AT+CWINIT", "init:0..1")
class Driver:
    """1: the Wi-Fi driver is there, always. No port of MicroPython can take it down; CWMODE=0 switches it off."""

    def query(at):
        at.line("+CWINIT:1")

    def set(at, init):
        if not init:
            raise ATError()
