"""The TCP/IP chapter: the time from the network.
Manual: TCP-IP_AT_Commands.rst of espressif/esp-at, tag v2.3.0.0_esp8266; CIPSNTPINTV is of later versions."""

from firmware import clock
from firmware.at import messages
from firmware.at.command import command
from firmware.at.messages import ATError
from firmware.wifi import UP

# The manual's own, for a host that names none.
_SERVERS = ("cn.ntp.org.cn", "ntp.sjtu.edu.cn", "us.pool.ntp.org")


def _sntp(at):
    """The client; made when it is first asked for, as many hosts never do."""
    if not at.sntp:
        from firmware.net.sntp import Sntp

        def online():
            return at.radio.state == UP

        def updated():
            at.reports.text(messages.TIME_UPDATED)

        def resolve(*question):
            return at.resolver.resolve(*question)

        at.sntp = Sntp(at.loop, resolve, at.board.NTP_PORT, online, clock.of(at).set, updated)
    return at.sntp


@command("AT+CIPSNTPCFG", "enable:0..1, timezone:-1259..1459?, server1:text64?, server2:text64?, server3:text64?")
class TimeServers:
    """1: gets the time by SNTP and then reports +TIME_UPDATED. The zone is in hours (-12 to 14) or as [-]hhmm."""

    def query(at):
        servers = _sntp(at).servers
        # Whole hours: the manual has 0 for UTC+00:15.
        zone = clock.of(at).zone
        hours = zone // 60 if zone >= 0 else -(-zone // 60)
        at.line("+CIPSNTPCFG:%d,%d%s", bool(servers), hours, "".join([',"%s"' % server for server in servers]))

    def set(at, enable, timezone, *servers):
        if timezone is not None:
            clock.of(at).zone = _minutes(timezone)
        _sntp(at).start(tuple([server for server in servers if server]) or _SERVERS if enable else ())


def _minutes(zone):
    """A time zone in either of its formats, as minutes: 8 and 800 are 480, 15 (that is 0015) is 15."""
    if -12 <= zone <= 14:
        return zone * 60
    hours, minutes = divmod(abs(zone), 100)
    if minutes > 59:
        raise ATError(messages.E_RANGE, 1)
    return (hours * 60 + minutes) * (1 if zone > 0 else -1)


@command("AT+CIPSNTPTIME")
class Time:
    """The local time, as C's asctime() writes it. It is 1970 while nobody has set the clock."""

    def query(at):
        at.line("+CIPSNTPTIME:%s", clock.of(at).text())


@command("AT+CIPSNTPINTV", "interval:15..4294967")
class Interval:
    """Seconds from one question to the SNTP servers to the next. 3600 at start."""

    def query(at):
        at.line("+CIPSNTPINTV:%d", _sntp(at).interval)

    def set(at, interval):
        _sntp(at).set_interval(interval)
