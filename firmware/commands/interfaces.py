"""What the commands of the station and of the softAP have in common: addresses, MAC addresses, protocols,
and how they get back what was saved."""

from firmware.at.command import NEVER
from firmware.at.messages import E_PARSE, E_RANGE, ATError
from firmware.commands.macs import mac_bytes, mac_text
from firmware.net.address import ipv4, same_network


def restore(at, uses):
    """Gives an interface that has been switched on what was saved for it, by pairs of a command and `use(at, ...)`."""
    for name, use in uses:
        values = at.settings.get(name)
        if values:
            try:
                use(at, *values)
            except (ATError, OSError, ValueError, RuntimeError):  # a file that was made elsewhere
                print("settings:", name, "cannot be used here")
                at.settings.forget(name)


def addresses(ip, gateway, netmask):
    """The three addresses, the missing ones made up; ATError when they do not fit each other."""
    if netmask is None:
        netmask = "255.255.255.0"
    if gateway is None:
        gateway = ip[: ip.rfind(".")] + ".1"
    ip, gateway, netmask = found = [ipv4(text) for text in (ip, gateway, netmask)]
    for i, text in enumerate(found):
        if not text or (i < 2 and text == "0.0.0.0"):
            raise ATError(E_PARSE, i)
    mask = 0
    for part in netmask.split("."):
        mask = mask << 8 | int(part)
    # All ones stand before all zeros, and there is one of each.
    spare = mask ^ 0xFFFFFFFF
    if not mask or not spare or spare & (spare + 1):
        raise ATError(E_RANGE, 2)
    if not same_network(ip, gateway, netmask):
        raise ATError(E_RANGE, 1)
    return ip, gateway, netmask


def show_addresses(at, name, wlan, default):
    """Prints the addresses of an interface, or those that are saved; `default` where there are none."""
    ip, netmask, gateway, _ = wlan.ifconfig()
    if at.settings.stored:
        ip, gateway, netmask = at.settings.get(name[1:]) or default
        if not ip:
            ip, gateway, netmask = default
    for key, value in (("ip", ip), ("gateway", gateway), ("netmask", netmask)):
        at.line(name + ':%s:"%s"', key, value)


def show_mac(at, name, wlan):
    """Prints the MAC address of an interface, or the one that it has after a start."""
    at.line(name + ':"%s"', mac_text(find_mac(at, name[1:], wlan)))


def find_mac(at, name, wlan):
    """The MAC address of an interface, or the one that it has after a start, for a query of what is saved."""
    saved = at.settings.get(name) if at.settings.stored else None
    return mac_bytes(saved[0], 0) if saved else wlan.config("mac")


def set_mac(at, name, wlan, text, before):
    """Sets the MAC address of an interface; `before()` makes way for that. ATError or OSError if it cannot be."""
    mac = mac_bytes(text, 0)
    if mac[0] & 1 or not any(mac):
        raise ATError(E_RANGE, 0)
    old = wlan.config("mac")
    if mac == old:
        return
    if not at.settings.get(name):  # no port tells the chip's own address later
        at.settings.put(name + "_DEF", [mac_text(old)], NEVER)
    before()
    configure(wlan.config, mac=mac)
    # The ESP8266's port does not say whether its SDK has taken it.
    if wlan.config("mac") != mac:
        raise ATError()


def show_protocol(at, name, bit):
    """Prints the protocols of the interface that is one bit of AT+CWMODE, or those that are saved."""
    if at.settings.stored:
        at.line(name + ":%d", at.settings.get(name[1:], [7])[0])  # b, g and n, as all ports have it at first
        return
    if not at.radio.mode & bit:
        raise ATError()
    number = (at.radio.station if bit == 1 else at.radio.softap).config("protocol")
    for protocol, of_port in at.board.PROTOCOLS:
        if of_port == number:
            at.line(name + ":%d", protocol)


def set_protocol(at, wlan, protocol):
    """Sets the protocols of an interface; ATError for what this chip has not."""
    for possible, of_port in at.board.PROTOCOLS:
        if possible == protocol:
            configure(wlan.config, protocol=of_port)
            return
    raise ATError(E_RANGE, 0)


def configure(use, **options):
    """Calls config() or ipconfig() of an interface with options; ATError for what the chip refuses."""
    try:
        use(**options)
    except (OSError, ValueError, RuntimeError):  # each port has its own for each fault, some without a number
        raise ATError()
