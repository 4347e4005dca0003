"""The part of the TCP/IP chapter about TLS: what the links of the kind SSL that are opened from now on do.
Manual: TCP-IP_AT_Commands.rst of espressif/esp-at, tag v2.3.0.0_esp8266, with what HEAD adds; CIPSSLSIZE is of the
manual for ESP-AT 1.x, and hosts that know that one still send it at start-up."""

from firmware.at import messages
from firmware.at.command import STORE, command
from firmware.at.messages import ATError
from firmware.net.links import LINKS


@command("AT+CIPSSLCCONF", "link:0..5, mode:0..3, pki:0..1=0, ca:0..1=0", saved=STORE)
class Configuration:
    """What is verified when a link of the kind SSL is opened (5: all of them): 0 nothing, 1 the module shows its
    certificate (number pki), 2 the server's is verified (by CA number ca) with its dates and name, 3 both."""

    def query(at):
        from firmware.tls import DEFAULT

        values = at.settings.get("CIPSSLCCONF", DEFAULT)
        for number in _shown(at):
            at.line("+CIPSSLCCONF:%d,%d,%d,%d", number, *values[number])

    def set(at, *values):
        from firmware.tls import DEFAULT

        kept = list(at.settings.get("CIPSSLCCONF", DEFAULT))
        for number in _meant(at, values):
            kept[number] = values[-3:]
        at.interpreter.keep(*kept)


@command("AT+CIPSSLCSNI", "link:0..5, sni:text64")
class Indication:
    """The name that the server is asked for when a link of the kind SSL is opened, in place of the host of CIPSTART,
    which is sent if it is a name and this is empty."""

    def query(at):
        for number in _shown(at):
            at.line('+CIPSSLCSNI:%d,"%s"', number, _get(at, "SNI", number, ""))

    def set(at, *values):
        _put(at, "SNI", values, values[-1])


@command("AT+CIPSSLCCN", "link:0..5, name:text64")
class Name:
    """The name that the server's certificate has to be for, in the modes 2 and 3 of CIPSSLCCONF. Without it that is
    the name of CIPSSLCSNI, and without that the host of CIPSTART."""

    def query(at):
        for number in _shown(at):
            at.line('+CIPSSLCCN:%d,"%s"', number, _get(at, "CN", number, ""))

    def set(at, *values):
        _put(at, "CN", values, values[-1])


@command("AT+CIPSSLCALPN", "link:0..5, counts:0..5, alpn:text200*")
class Protocols:
    """Names for ALPN, which MicroPython's tls does not have: while there are any, no link of the kind SSL is opened."""

    def query(at):
        for number in _shown(at):
            at.line("+CIPSSLCALPN:%d%s", number, "".join(',"%s"' % name for name in _get(at, "ALPN", number, ())))

    def set(at, *values):
        _put(at, "ALPN", values, _counted(at, values))


@command("AT+CIPSSLCPSK", "link:0..5, psk:bytes32, hint:text32", board="esp32")
class Key:
    """A key that the server has too, in place of certificates, and the identity that goes with it; none if empty."""

    def query(at):
        for number in _shown(at):
            hint, key = _get(at, "PSK", number, ("", b""))
            # Not what it stands for in UTF-8: a key that was given as CIPSSLCPSKHEX may be no text.
            at.port.write(b'+CIPSSLCPSK:%d,"%s","%s"\r\n' % (number, key, hint.encode()))

    def set(at, *values):
        key = values[-2]
        _set_key(at, values, key if isinstance(key, bytes) else key.encode())


@command("AT+CIPSSLCPSKHEX", "link:0..5, psk:text64, hint:text32", board="esp32")
class HexKey:
    """As CIPSSLCPSK, with the key in hexadecimal digits."""

    def query(at):
        for number in _shown(at):
            hint, key = _get(at, "PSK", number, ("", b""))
            at.line('+CIPSSLCPSKHEX:%d,"%s","%s"', number, key.hex(), hint)

    def set(at, *values):
        try:
            key = bytes.fromhex(values[-2])
        except ValueError:
            raise ATError(messages.E_PARSE, len(values) - 2)
        _set_key(at, values, key)


@command("AT+CIPSSLCCIPHER", "link:0..5, counts:0..60, cipher:0..65535*", board="esp32")
class Ciphers:
    """The cipher suites that are offered when a link of the kind SSL is opened, by their numbers (0xC02C); with 0 all
    that there are, which the query lists."""

    async def query(at):
        from firmware.commands import ciphers

        for index, cipher in enumerate(ciphers.known()):
            await at.port.room()
            at.line("+CIPSSLCCIPHER:%d,0x%s", index, cipher)

    def set(at, *values):
        given = _counted(at, values)
        if given:
            from firmware.commands import ciphers

            given = ciphers.names(given)
        _put(at, "CIPHER", values, given)


@command("AT+CIPSSLSIZE", "size:2048..4096")
class BufferSize:
    """Accepted, and without effect: TLS has buffers of MicroPython's own size."""

    def set(at, size):
        pass


def _shown(at):
    return range(LINKS if at.links.multiple else 1)


def _meant(at, values):
    """The links that a set command is about."""
    number = values[0] if at.links.multiple else 0
    return range(LINKS) if number == LINKS else (number,)


def _get(at, key, number, default):
    return at.tls.get(key, {}).get(number, default)


def _put(at, key, values, value):
    kept = at.tls.setdefault(key, {})
    for number in _meant(at, values):
        if value:
            kept[number] = value
        else:
            kept.pop(number, None)


def _counted(at, values):
    """What follows the number of it, which has to be right."""
    count, *given = values[1:] if at.links.multiple else values
    given = [value for value in given if value not in (None, "")]
    if len(given) != count:
        raise ATError()
    return given


def _set_key(at, values, key):
    if bool(key) != bool(values[-1]):
        raise ATError()
    _put(at, "PSK", values, (values[-1], key) if key else None)
