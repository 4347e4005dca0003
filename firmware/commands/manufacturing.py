"""The part of the Basic chapter about the store of certificates and keys, which are files on the flash.
Manual: Basic_AT_Commands.rst of espressif/esp-at, HEAD; of its namespaces those of the links of the kind SSL."""

import os

from micropython import const

from firmware.at import messages
from firmware.at.command import command
from firmware.at.data import Collector
from firmware.at.messages import ATError
from firmware.tls import FOLDER, NUMBERS, path

_NAMES = ("client_cert", "client_key", "client_ca", "server_cert", "server_key", "server_ca")
_BINARY = const(8)
_PIECE = const(256)
_NEW = FOLDER + "new"
_KEY = b"PRIVATE KEY-----"


@command(
    "AT+SYSMFG",
    "operation:0..1, namespace:text15?, key:text15?, offset:0..65535?, length:0..65535?",
    "operation:2..2, namespace:text15, key:text15, type:1..8, length:1..8192",
)
class Store:
    """The certificates and keys of TLS, in PEM or DER: 0 erases, 1 reads (no private keys), 2 writes. The namespaces
    are client_cert, client_key, client_ca and the same with server, their keys client_cert.0 and client_cert.1 and
    so on; the type is 8."""

    def query(at):
        _list(at)

    async def set(at, operation, namespace, key, *values):
        if operation == 2:
            return await _write(at, _name(namespace, key), *values)
        if namespace is None and operation and key is None:
            _list(at)
        elif key is None:
            _folder(at, operation, namespace)
        elif operation:
            return await _read(at, namespace, key, *values)
        else:
            os.remove(_name(namespace, key))
        return None


def _list(at):
    for name in _NAMES:
        at.line('+SYSMFG:"%s"', name)


def _name(namespace, key):
    """The file of a key; ATError when there cannot be one."""
    for number in range(NUMBERS):
        file = path(namespace, number)
        if namespace in _NAMES and file == FOLDER + key:
            return file
    raise ATError()


def _folder(at, operation, namespace):
    """Lists or erases all keys of a namespace."""
    if namespace not in _NAMES:
        raise ATError()
    for number in range(NUMBERS):
        file = path(namespace, number)
        try:
            os.stat(file)
        except OSError:  # it is not there
            continue
        if operation:
            at.line('+SYSMFG:"%s","%s.%d",%d', namespace, namespace, number, _BINARY)
        else:
            os.remove(file)


async def _read(at, namespace, key, offset, length):
    """Answers with what is in a file; nothing comes in between, as in AT+CIPRECVDATA."""
    name = _name(namespace, key)
    if namespace.endswith("_key"):
        raise ATError()  # it stays here
    piece = bytearray(_PIECE)
    port = at.port
    with open(name, "rb") as file:
        if _secret(file):
            raise ATError()
        size = file.seek(0, 2)
        start = min(offset or 0, size)
        left = size - start if length is None else min(length, size - start)
        file.seek(start)
        head = b'+SYSMFG:"%s","%s",%d,%d,' % (namespace.encode(), key.encode(), _BINARY, left)
        port.deaf = True
        try:
            await port.sent()
            port.copy(head, 0, len(head))
            while left:
                count = file.readinto(piece, min(left, _PIECE))
                port.send(piece, 0, count)
                await port.sent()
                left -= count
        finally:
            port.deaf = False
    port.write(b"\r\n" + messages.OK)
    return messages.NOTHING


def _secret(file):
    """Whether a PEM has a private key, too, as that of a certificate may."""
    piece = text = file.read(_PIECE)
    while piece and _KEY not in text:
        piece = file.read(_PIECE)
        text = text[-len(_KEY) :] + piece
    return _KEY in text


async def _write(at, name, kind, length):
    """Takes a file's bytes after the prompt; what was there before stays until all of the new one is on the flash."""
    from firmware.commands.sending import free, place

    if kind != _BINARY or length > at.board.SEND_MAX:
        raise ATError()
    await free(at)
    pieces = await place(at, length, False)
    data = Collector(at.loop, at.port, pieces, length, lambda have: at.reports.taken())
    try:
        done = data.done()
        at.port.write(messages.PROMPT)
        at.reports.hold()
        await done
        if data.canceled:
            raise ATError()
        try:
            os.mkdir(FOLDER[:-1])
        except OSError:  # it is there
            pass
        with open(_NEW, "wb") as file:
            for piece in pieces:
                file.write(memoryview(piece)[: min(length, len(piece))])
                length -= min(length, len(piece))
        os.rename(_NEW, name)
    finally:
        data.leave()
        at.reports.release()
