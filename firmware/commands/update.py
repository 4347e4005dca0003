"""The part of the TCP/IP chapter about updates of the firmware over the network.
Manual: TCP-IP_AT_Commands.rst of espressif/esp-at, tag v2.3.0.0_esp8266, with what HEAD adds."""

import errno

from firmware import commands
from firmware.at.command import ALWAYS, command


@command("AT+MPYUPDATE", "url:text200, auth_mode:0..3=0, pki:0..1=0, ca:0..1=0", saved=ALWAYS)
class Server:
    """Where AT+CIUPDATE finds updates: the folder of atbundle on a web server, http:// or https://; none if empty. With
    https the other parameters are those of CIPSSLCCONF: 0 verifies no server."""

    def query(at):
        at.line('+MPYUPDATE:"%s",%d,%d,%d', *at.settings.get("MPYUPDATE", ("", 0, 0, 0)))

    def set(at, url, auth_mode, pki, ca):
        if url:
            _parse(url)


@command("AT+CIUPDATE", "mode:0..1, version:text20?, name:text32=ota, nonblocking:0..1=0")
class Upgrade:
    """Brings a signed version of the firmware from the server of MPYUPDATE into the other slot, and starts it: the
    newest, if that is newer, or the one that is named; the one that runs only if it brings MicroPython. mode 0: HTTP,
    1: HTTPS, as in MPYUPDATE. nonblocking 1: the host is told, and restarts the module itself."""

    def query(at):
        at.line("+CIPUPDATE:%d", at.updated)

    async def execute(at):
        return await _update().wait(at, _server(at), None, "ota")

    async def set(at, mode, version, name, nonblocking):
        url = _server(at)
        if _parse(url)[0] != bool(mode):
            raise OSError(errno.EINVAL, "mode and the URL of MPYUPDATE differ")
        update = _update()
        version = version and version.lower().lstrip("v")
        result = (update.begin if nonblocking else update.wait)(at, url, version, name or "ota")
        return None if nonblocking else await result


@command("AT+CIPFWVER")
class Newest:
    """The newest version of the firmware on the server of MPYUPDATE."""

    async def query(at):
        search = _update().Update(at, lambda text: None)
        try:
            at.line('+CIPFWVER:"%s"', (await search.find(_server(at), None, "ota"))[0])
        except ValueError as error:
            raise OSError(errno.EINVAL, str(error))
        finally:
            search.close()
            at.updated = 0


def _update():
    commands.drop()  # there is never too much memory for this
    from firmware import update

    return update


def _server(at):
    url = at.settings.get("MPYUPDATE", ("",))[0]
    if not url:
        raise OSError(errno.ENOENT, "no server: AT+MPYUPDATE names one")
    return url


def _parse(url):
    from firmware.net.url import parse

    try:
        return parse(url)
    except ValueError as error:
        raise OSError(errno.EINVAL, str(error))
