"""How an update gets its bundle: what HTTP servers and networks do, one case after the other on one module, which is
never started anew: each update goes into the same slot again."""

import bundles
import pytest
from peers import Peer
from test_update import server, updating  # noqa: F401  fixtures
from tls_peers import put, serving, set_clock
from update_server import UpdateServer, endless_header, endless_headers

DONE = "+CIPUPDATE:1⏎+CIPUPDATE:2⏎+CIPUPDATE:3⏎+CIPUPDATE:4⏎"
FILE = "/ota/{board}/ota-9.0.0-{board}.atb"


@pytest.fixture
def board(request):
    return getattr(request, "param", "esp32")


@pytest.fixture
def bundle(server, board):  # noqa: F811
    data = bundles.firmware(board)
    server.publish(data, board=board)
    return data


def update(module, ends=DONE, mode=0):
    module.send(f'AT+CIUPDATE={mode},"v9.0.0",,1')
    module.expect(f"⏎OK⏎{ends}")


def refused(module, text, mode=0):
    """An update that fails, for this reason."""
    module.send("AT+SYSLOG=1")
    module.expect("⏎OK⏎")
    module.send(f'AT+CIUPDATE={mode},"9.0.0"')
    module.match(rf"(\+CIPUPDATE:\d\r\n)*{text}\r\nERR CODE:0x010a\w\w\w\w\r\n\r\nERROR\r\n")
    module.command("AT+SYSLOG=0")


def test_answers(updating, server, board, bundle):  # noqa: F811
    """Chunks of all sizes with what else may stand there, no length at all, an answer in small pieces."""
    for plan in (
        dict(chunked=700),
        dict(chunked=1 << 20),
        dict(bare=True),
        dict(pieces=700),
        dict(headers={"X-Long": "x" * 3000}, chunked=5000),
    ):
        server.next(**plan)
        server.next("versions", **plan)
        update(updating)
    assert server.ranges() == [None] * 5


@pytest.mark.parametrize("board", ["esp32", "esp8266"], indirect=True)
def test_interrupted(updating, server, board, bundle):  # noqa: F811
    """Ten times, in each way; what has come is not asked for again."""
    headers = {"ETag": None, "Last-Modified": None}
    step = len(bundle) // 11
    for number in range(10):
        server.next(drop=step, reset=number % 2)
    update(updating)
    places = [int(text.removeprefix("bytes=").removesuffix("-")) for text in server.ranges()[1:]]
    assert len(places) == 10 and places == sorted(places)
    # What a reset destroys on its way is asked for again.
    assert places[0] == step and places[-1] <= 10 * step
    assert all(headers["if-range"].startswith('"') for headers in server.asked(".atb")[1:])
    # Chunks, and a server without ranges or tags.
    server.next(drop=step, chunked=999)
    server.next(drop=step * 3, ranges=False, headers=headers)
    update(updating)
    server.next(drop=step, headers=headers)
    server.next(status=503)
    server.next(drop=step * 3, ranges=False, headers=headers)
    server.next(drop=step, headers=headers)
    server.next(headers=headers)
    update(updating)


def test_another_file_meanwhile(updating, server, board, bundle):  # noqa: F811
    """It begins anew with that, whether the server answers the range or not."""
    path = FILE.format(board=board)
    server.files[path] = bundles.firmware(board, "8.0.0")
    server.next(drop=5000)
    server.next(drop=0, headers={"ETag": '"one"'})
    server.files[path] = bundle
    update(updating)
    server.next(drop=5000, headers={"ETag": '"two"'})
    update(updating)
    server.next(drop=5000)
    server.next(status=416)
    update(updating)


def test_redirections(updating, server, board, bundle):  # noqa: F811
    """One, in all forms, and again after a dropped connection; not two."""
    path = FILE.format(board=board)
    other = UpdateServer()
    try:
        other.files["/else where/../x?y=1"] = other.files["/x"] = server.files["/x"] = bundle
        server.files[f"/ota/{board}/x"] = bundle
        for status, target in ((301, f"{other.url}/x"), (302, "/x"), (307, "x"), (308, server.url[5:] + "/x#part")):
            server.next(path, status=status, headers={"Location": target})
            update(updating)
        server.next(path, times=2, status=303, headers={"Location": f"{other.url}/x"})
        other.next(drop=9000, end="/x")
        update(updating)
        assert other.ranges("/x") == [None, None, "bytes=9000-"]
        server.next(path, status=302, headers={"Location": "/x"})
        server.next("/x", status=302, headers={"Location": "/x"})
        refused(updating, "HTTP status 302")
        server.next(path, status=302)
        refused(updating, "redirected to nowhere")
        server.next(path, status=302, headers={"Location": "ftp://127.0.0.1/"})
        refused(updating, "not a URL[^\r]*")
    finally:
        other.close()


def test_no_answers(updating, server, board, bundle):  # noqa: F811
    path = FILE.format(board=board)
    for plan, text in (
        (dict(status=404), "HTTP status 404"),
        (dict(status=500, times=4), "HTTP status 500"),
        (dict(raw=b"220 mail ready\r\n" * 9), "no HTTP server"),
        (dict(raw=endless_headers()), "too many headers"),
        (dict(raw=endless_header()), "too many headers"),
        (dict(headers={"Content-Length": "many"}), "an answer that makes no sense"),
        (dict(body=bundle[:9000]), "not as long as the manifest says"),
        (dict(body=bundle[:9000], chunked=800), "cut off"),
    ):
        server.next(path, **plan)
        refused(updating, text)
    server.next(path, drop=9000)
    server.next(path, headers={"Content-Range": "bytes 1-2/3"})
    refused(updating, "an answer that makes no sense")
    server.next("versions", status=404)
    refused(updating, "HTTP status 404")
    server.files[f"/ota/{board}/versions"] = b"<html>\n"
    refused(updating, "no list of versions")
    server.files[f"/ota/{board}/versions"] = b"8.0.0 1000 file\n9.0.1 1000 file\n"
    refused(updating, "the server does not have this version")
    updating.command('AT+MPYUPDATE="http://127.0.0.1:1"')
    updating.send("AT+CIUPDATE")
    updating.expect("+CIPUPDATE:1⏎⏎ERROR⏎")
    updating.command('AT+MPYUPDATE="http://nobody.invalid/x"')
    updating.send("AT+CIUPDATE")
    updating.expect("⏎ERROR⏎")
    updating.settled()


def test_meanwhile(updating, server, board, bundle):  # noqa: F811
    """In the background everything else goes on; in the foreground the links do."""
    module = updating
    peer = Peer()
    module.send(f'AT+CIPSTART="TCP","127.0.0.1",{peer.port}')
    peer.accept()
    module.expect("CONNECT⏎⏎OK⏎")
    server.next(stall=9000)
    module.send('AT+CIUPDATE=0,"9.0.0",,1')
    module.expect("⏎OK⏎+CIPUPDATE:1⏎+CIPUPDATE:2⏎+CIPUPDATE:3⏎")
    server.wait(1, ".atb")
    module.send('AT+CIUPDATE=0,"9.0.0",,1')
    module.expect("⏎ERROR⏎")
    module.send("AT+SYSROLLBACK")
    module.expect("⏎ERROR⏎")
    module.send("AT+CIUPDATE?")
    module.expect("+CIPUPDATE:3⏎⏎OK⏎")
    module.send("AT+CIPSEND=4")
    module.expect("⏎OK⏎⏎>")
    module.write(b"ping")
    module.expect("⏎Recv 4 bytes⏎⏎SEND OK⏎")
    assert peer.get(4) == b"ping"
    peer.send(b"pong")
    module.expect("⏎+IPD,4:pong")
    server.release()
    module.expect("+CIPUPDATE:4⏎")
    peer.close()
    module.expect("CLOSED⏎")
    module.settled()


def test_by_tls(start, tmp_path, authority):
    """The server is verified if the host wants that; http may lead to https, and not the other way."""
    module = start("--update-key", bundles.public())
    module.join()
    context = serving(tmp_path, authority.leaf("localhost"))
    asked = []
    context.sni_callback = lambda sock, name, context: asked.append(name)
    secure = UpdateServer(context, host="localhost")
    plain = UpdateServer()
    try:
        for each in (secure, plain):
            each.publish(bundles.firmware("esp32"))
        module.command(f'AT+MPYUPDATE="{secure.url}"')
        module.send('AT+CIUPDATE=0,"9.0.0",,1')
        module.expect("⏎ERROR⏎")
        secure.next(drop=30000)
        update(module, mode=1)
        assert secure.ranges() == [None, "bytes=30000-"]
        secure.next(status=302, headers={"Location": plain.url + FILE.format(board="esp32")})
        refused(module, "redirected from https to http", 1)
        module.command(f'AT+MPYUPDATE="{secure.url.replace("localhost", "localhost.")}",2')
        set_clock(module)
        put(module, "client_ca.0", authority.root.pem)
        update(module, mode=1)
        module.command(f'AT+MPYUPDATE="{plain.url}",2')
        plain.next(status=302, headers={"Location": secure.url + FILE.format(board="esp32")})
        update(module)
        assert set(asked) == {"localhost"}
    finally:
        secure.close()
        plain.close()


def test_by_tls_on_the_esp8266(start, tmp_path, authority):
    """Its TLS wants room before the handshake, also for an update, which is no link of the host's."""
    module = start("--board", "esp8266", "--heap", "128wK", "--update-key", bundles.public())
    module.join()
    secure = UpdateServer(serving(tmp_path, authority.rsa_server, weak=True))
    try:
        secure.publish(bundles.firmware("esp8266"), board="esp8266")
        module.command(f'AT+MPYUPDATE="{secure.url}"')
        update(module, mode=1)
    finally:
        secure.close()
