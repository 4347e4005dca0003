"""Web servers whose numbers make no sense, and what URLs in an answer mean: an update ends with an ERROR at once, and
the module goes on, with nothing asked for again and again."""

import subprocess
import sys
from pathlib import Path
from urllib.parse import urldefrag, urljoin

import bundles
import pytest
from module import LIMIT
from mpyat import build, sources
from test_download import DONE, FILE, refused, update
from test_update import server, updating  # noqa: F401  fixtures
from update_server import UpdateServer

NONSENSE = "an answer that makes no sense"
BOARDS = pytest.mark.parametrize("board", ["esp32", "esp8266"], indirect=True)


@pytest.fixture
def board(request):
    return getattr(request, "param", "esp32")


@pytest.fixture
def bundle(server, board):  # noqa: F811
    data = bundles.firmware(board)
    server.publish(data, board=board)
    return data


NO_NUMBERS = ("-1", "+5", "5_0", "0x10", "", "many", "1e3", "1 2", "5, 5", "99999999999999999999", "9" * 300)


@BOARDS
def test_lengths(updating, server, board, bundle):  # noqa: F811
    """A negative one had the whole module stand still, for ever."""
    for text in NO_NUMBERS:
        for path in ("versions", ".atb"):
            server.next(path, headers={"Content-Length": text})
            refused(updating, NONSENSE)
    for text in ("5\r\nContent-Length: 6", "5\r\nTransfer-Encoding: gzip", "5\r\nTransfer-Encoding: gzip, chunked"):
        server.next(headers={"Content-Length": text})
        refused(updating, NONSENSE)
    updating.settled()
    # The same length twice is one length; of both kinds chunks count.
    server.next(headers={"Content-Length": f"{len(bundle)}\r\nContent-Length: {len(bundle)}"})
    update(updating)
    server.next(chunked=9000, headers={"Content-Length": "5"})
    update(updating)


@BOARDS
def test_lengths_that_are_not_the_bundles(updating, server, board, bundle):  # noqa: F811
    """It is asked for once: the manifest tells how long it is."""
    for size in (len(bundle) + 1000, len(bundle) + 1, len(bundle) - 1000):
        server.requests.clear()
        server.next(headers={"Content-Length": size})
        refused(updating, "not as long as the manifest says")
        assert server.ranges() == [None]
    server.next(headers={"Content-Length": 100})
    refused(updating, "cut off")


@pytest.mark.parametrize("ranges", [True, False])
def test_a_list_that_is_shorter_than_its_length(updating, server, bundle, ranges):  # noqa: F811
    listed = server.files["/ota/esp32/versions"]
    server.next("versions", times=9, ranges=ranges, headers={"Content-Length": len(listed) + 1000})
    refused(updating, r"(cut off|the file on the server has changed meanwhile)")
    assert len(server.asked("versions")) <= 4
    server.forget()
    update(updating)


def test_a_file_that_always_changes(updating, server, bundle):  # noqa: F811
    """Or a server that says so of the rest of it."""
    for _ in range(4):
        server.next(drop=5000)
        server.next(status=416)
    refused(updating, "the file on the server changes all the time")
    update(updating)


@BOARDS
def test_chunks(updating, server, board, bundle):  # noqa: F811
    path = FILE.format(board=board)
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    for size in ("-5", "+5", "0x5", "5_0", "", ";x", "g", "5 5", "ffffffffffffffffff", "7fffffff"):
        server.next(raw=head + size.encode() + b"\r\n" + bundle[:5] + b"\r\n0\r\n\r\n")
        refused(updating, NONSENSE)
        server.next(
            raw=head + b"5\r\n" + bundle[:5] + b"\r\n" + size.encode() + b"\r\n" + bundle[5:9] + b"\r\n0\r\n\r\n"
        )
        refused(updating, NONSENSE)
    # A chunk that is longer than its size.
    server.next(raw=head + b"5\r\n" + bundle[:9] + b"\r\n0\r\n\r\n")
    refused(updating, NONSENSE)
    half = len(bundle) // 2
    pieces = (bundle[:half], bundle[half:])
    chunks = b"".join(b'%08X ; name="a;b"\r\n%b\r\n' % (len(piece), piece) for piece in pieces)
    server.next(raw=head + chunks + b"000;x\r\nX-Trailer: 1\r\n\r\n")
    update(updating)
    # One that never says that it is over: nothing is missing then, but nothing says so either.
    server.next(times=9, raw=head + b"5\r\n" + bundle[:5] + b"\r\n")
    server.files[path] = bundle[:5]
    refused(updating, f"(cut off|{NONSENSE})")


@BOARDS
def test_ranges(updating, server, board, bundle):  # noqa: F811
    size = len(bundle)
    wrong = [f"bytes {span}" for span in ("9000", "9000-", "9000-1/2", "-9000-1/*", "9000-8999/*", "+9000-9001/*")]
    wrong += [
        f"bytes {span}" for span in (f"9000-{size - 1}/-1", f"9000-{size - 1}/0x9", f"9000-{size - 1}/{size + 1}")
    ]
    wrong += [f"bytes 9000-{size - 2}/{size}", f"bytes 9001-{size - 1}/{size}", f"9000-{size - 1}/{size}", "", None]
    wrong += [f"bytes 9000-{size}/{size + 1}"]  # not as long as the body
    for text in wrong:
        server.next(drop=9000)
        server.next(headers={"Content-Range": text})
        refused(updating, NONSENSE)
    for text in (f"bytes 9000-{size - 1}/*", f"bytes 9000-{size - 1}/{size}"):
        server.next(drop=9000)
        server.next(headers={"Content-Range": text, "Content-Length": None})
        update(updating)


@pytest.mark.parametrize("line", ["HTTP/1.1", "HTTP/1.1 -200 OK", "HTTP/1.1 2_0 OK", "HTTP/1.1 0x200 OK", "HTTP/2 200"])
def test_statuses(updating, server, bundle, line):  # noqa: F811
    server.next(raw=line.encode() + b"\r\nContent-Length: 0\r\n\r\n")
    refused(updating, "no HTTP server")
    # Without an end of those that come before the real one.
    server.next(raw=b"HTTP/1.1 100 Continue\r\n\r\n" * 4000)
    refused(updating, "too many headers")


# URLs

REFERENCES = """
    g ./g g/ /g //g ?y g?y #s g#s g?y#s ;x g;x g;x?y#s . ./ .. ../ ../g ../.. ../../ ../../g ../../../g ../../../../g
    /./g /../g g. .g g.. ..g ./../g ./g/. g/./h g/../h g;x=1/./y g;x=1/../y g?y/./x g?y/../x g#s/./x g#s/../x
    /dl/f?src=https://other.example/x f?src=http://other.example:80//a/../b ?src=https://h/p /a//b/../c
    http://h HTTP://h:8080/x/y https://other.example:8443/x?y=1#z //h:81/x?y //h?x /a:b ./a:b ?a:b //[::1]:80/x
"""


@pytest.mark.parametrize(
    "base", ["http://a/b/c/d;p?q", "https://h.example:8443", "http://h/x?a=b/c://d", "http://h/a/./b/"]
)
def test_references(base):
    """As CPython resolves them; a fragment is nothing to a server."""
    python = [urldefrag(urljoin(base, reference))[0] for reference in REFERENCES.split()]
    assert joined(base, REFERENCES.split()) == [url.replace("HTTP:", "http:") for url in python]


def test_references_that_python_resolves_otherwise():
    """By RFC 3986, section 5.2, dots are taken out of all of these, an empty part is one, and http:g is not g."""
    table = {
        "http://h/a/../b": "http://h/b",
        "//h/a/./b/..": "http://h/a/",
        "http://h/..": "http://h/",
        "a//../b": "http://a/b/a/b",
        "http:g": "http:g",
        "mailto:g": "mailto:g",
    }
    assert joined("http://a/b/c", list(table)) == list(table.values())


def joined(base, references):
    launch = Path(build.__file__).with_name("launch.py")
    script = Path(__file__).parent / "url_alone.py"
    command = [sys.executable, launch, "--script", script, sources.root(), base, *references]
    result = subprocess.run([*map(str, command)], capture_output=True, text=True, timeout=LIMIT, check=True)
    return [line.replace("HTTP:", "http:") for line in result.stdout.splitlines()]


@BOARDS
def test_where_a_redirection_leads(updating, server, board, bundle):  # noqa: F811
    """What the module then asks for, from /ota/<board>/<bundle>?q; the query belongs to what is replaced."""
    path = FILE.format(board=board)
    folder = path.rsplit("/", 1)[0]
    other = UpdateServer()
    for location, where, wanted in (
        ("/dl/f?src=https://nobody.invalid/x", server, "/dl/f?src=https://nobody.invalid/x"),
        ("../x", server, "/ota/x"),
        ("../../../x/./y/../z", server, "/x/z"),
        ("?x", server, f"{path}?x"),
        ("x:y", None, None),
        ("./x:y#z", server, f"{folder}/x:y"),
        (other.url[5:], other, "/"),
        (f"{other.url[5:]}?a=//b", other, "/?a=//b"),
        (f"{other.url}/a/../b#c", other, "/b"),
        ("http:x", None, None),
        ("http://user@127.0.0.1/x", None, None),
        ("http://127.0.0.1:0/x", None, None),
        ("http://127.0.0.1:99999999999/x", None, None),
        ("http://127.0.0.1:-80/x", None, None),
        ("//", None, None),
    ):
        server.next(status=302, headers={"Location": location})
        if where is None:
            refused(updating, "not a URL[^\r]*")
        else:
            where.files[wanted] = bundle
            update(updating, DONE)
            assert where.requests[-1][0] == wanted
    other.close()
