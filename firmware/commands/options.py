"""The part of the TCP/IP chapter about the options of sockets: CIPTCPOPT.
Manual: TCP-IP_AT_Commands.rst of espressif/esp-at, tag v2.3.0.0_esp8266, with what HEAD adds."""

from micropython import const

from firmware import commands
from firmware.at.command import STORE, command
from firmware.net.links import LINKS

# What saving takes: the options of all links as text, the old and the new ones, are more than other settings.
_NEEDED = const(1792)


@command(
    "AT+CIPTCPOPT",
    "link:0..5, linger:-1..65535?, no_delay:0..1?, send_timeout:0..3600000?, keep_alive:0..7200?",
    saved=STORE,
)
class Options:
    """Socket options of a link (5: all): SO_LINGER (-1 off), TCP_NODELAY, SO_SNDTIMEO in ms, keep-alive in seconds."""

    def query(at):
        options = at.settings.get("CIPTCPOPT", [[-1, 0, 0, 0]] * LINKS) if at.settings.stored else at.links.options
        for number in range(LINKS if at.links.multiple else 1):
            # ESP-AT 2.x has no keep-alive here: +CIPTCPOPT:0,-1,0,0
            values = options[number][: 3 if at.board.DIALECT < 4 else 4]
            at.line("+CIPTCPOPT:%d," + ",".join([str(value) for value in values]), number)

    def set(at, *values):
        commands.need(_NEEDED)
        number = values[0] if at.links.multiple else 0
        for i in range(LINKS) if number == LINKS else (number,):
            at.links.set_options(i, values[-4:])
        at.interpreter.keep(*at.links.options)


@command("AT+CIPCONNPERSIST", "link, persist:0..1")
class Persist:
    """1: the link stays when the network goes, as far as TCP bears with it. 0, as at first: it is closed then."""

    def query(at):
        kept = at.links.kept
        at.line("+CIPCONNPERSIST:" + ",".join([str(kept[i]) for i in range(LINKS if at.links.multiple else 1)]))

    def set(at, *values):
        at.links.kept[values[0] if at.links.multiple else 0] = values[-1]
