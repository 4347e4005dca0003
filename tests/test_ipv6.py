"""IPv6, as the simulator can have it: AT+CIPV6, and links, servers and groups over it, on ::1."""

import pathlib
import re
import socket
import struct

import pytest
from module import LIMIT
from peers import FreePort, UDPPeer

GROUP = "ff02::4d50:5941"
pytestmark = pytest.mark.ipv6
# The number of the loopback interface on Linux.
LOOPBACK = 1


@pytest.fixture
def play_ipv6(online, play_online):
    """Plays a transcript with IPv6 switched on."""
    online.command("AT+CIPV6=1")
    return play_online


def test_refused_until_switched_on(play_online):
    play_online(
        """
        peer web ::1
        > AT+CIPV6?
        < +CIPV6:0⏎⏎OK⏎
        > AT+CIPSTART="TCPv6","::1",{web}
        < ⏎ERROR⏎
        > AT+CIPSTART="UDPv6","::1",{web}
        < ⏎ERROR⏎
        > AT+CIPSTARTEX="TCPv6","::1",{web}
        < ⏎ERROR⏎
        > AT+CIPSTATE?
        < ⏎OK⏎
        > AT+CIPMUX=1
        < ⏎OK⏎
        > AT+CIPSERVER=1,{web},"TCPv6"
        < ⏎ERROR⏎
        > AT+CIPSERVER?
        < +CIPSERVER:0⏎⏎OK⏎
        > AT+CIPV6=2
        < ⏎ERROR⏎
        > AT+CIPV6=1
        < ⏎OK⏎
        > AT+CIPV6?
        < +CIPV6:1⏎⏎OK⏎
        > AT+CIPSTART=0,"TCPv6","::1",{web}
        web accepts
        < 0,CONNECT⏎⏎OK⏎
        > AT+CIPV6=0
        < ⏎OK⏎
        > AT+CIPSTART=1,"TCPv6","::1",{web}
        < ⏎ERROR⏎
        """
    )


def test_saved(start):
    module = start()
    for command, enabled in (("AT+CIPV6=1", 1), ("AT+SYSSTORE=0", 1), ("AT+CIPV6=0", 1)):
        module.command(command)
        module.send("AT+RST")
        module.expect("⏎OK⏎⏎ready⏎")
        module.send("ATE0")
        module.expect("ATE0⏎⏎OK⏎")
        module.send("AT+CIPV6?")
        module.expect(f"+CIPV6:{enabled}⏎⏎OK⏎")
        if command == "AT+SYSSTORE=0":
            module.command(command)


def test_tcp(play_ipv6):
    play_ipv6(
        """
        peer web ::1
        > AT+CIPDINFO=1
        < ⏎OK⏎
        > AT+CIPSTART="TCPv6","::1",{web}
        web accepts
        < CONNECT⏎⏎OK⏎
        > AT+CIPSTATE?
        ~ \\+CIPSTATE:0,"TCPv6","::1",{web},6\\d{4},0⏎⏎OK⏎
        > AT+CIPSTATUS
        ~ STATUS:3⏎\\+CIPSTATUS:0,"TCPv6","::1",{web},6\\d{4},0⏎⏎OK⏎
        > AT+CIPSEND=5
        < ⏎OK⏎⏎>
        >> hello
        < ⏎Recv 5 bytes⏎⏎SEND OK⏎
        web gets hello
        web sends good day
        < ⏎+IPD,8,"::1",{web}:good day
        web closes
        < CLOSED⏎
        # Other ways to write the address, and to name it.
        > AT+CIPSTART="TCPv6","0:0:0:0:0:0:0:1",{web},60,"::1",5000
        web accepts
        < CONNECT⏎⏎OK⏎
        > AT+CIPCLOSE
        < CLOSED⏎⏎OK⏎
        web ended
        > AT+CIPSTART="TCPv6","localhost",{web}
        web accepts
        < CONNECT⏎⏎OK⏎
        > AT+CIPCLOSE
        < CLOSED⏎⏎OK⏎
        # An address of the other family, for either end.
        > AT+CIPSTART="TCP","::1",{web}
        < ⏎ERROR⏎
        > AT+CIPSTART="TCPv6","127.0.0.1",{web}
        < ⏎ERROR⏎
        > AT+CIPSTART="TCPv6","::1",{web},,"127.0.0.1"
        < ⏎ERROR⏎
        > AT+CIPSTART="TCPv6","::1",{web},,"2001:db8::1"
        < ⏎ERROR⏎
        > AT+CIPSTATE?
        < ⏎OK⏎
        """
    )


def test_connected_in_detail(play_ipv6):
    play_ipv6(
        """
        peer web ::1
        udp a ::1
        free here
        > AT+SYSMSG=2
        < ⏎OK⏎
        > AT+CIPMUX=1
        < ⏎OK⏎
        > AT+CIPSTART=2,"TCPv6","::1",{web}
        web accepts
        ~ \\+LINK_CONN:0,2,"TCPv6",0,"::1",{web},6\\d{4}⏎⏎OK⏎
        > AT+CIPSTART=0,"UDPv6","::1",{a},{here}
        < +LINK_CONN:0,0,"UDPv6",0,"::1",{a},{here}⏎⏎OK⏎
        """
    )


def test_udp(play_ipv6):
    play_ipv6(
        """
        udp a ::1
        udp b ::1
        free here
        a faces {here}
        b faces {here}
        > AT+CIPDINFO=1
        < ⏎OK⏎
        # Its peer is the one that it was opened with, however that was written.
        > AT+CIPSTART="UDPv6","0:0::1",{a},{here},1
        < CONNECT⏎⏎OK⏎
        a sends from a
        < ⏎+IPD,6,"::1",{a}:from a
        b sends from b
        < ⏎+IPD,6,"::1",{b}:from b
        > AT+CIPSTATE?
        < +CIPSTATE:0,"UDPv6","::1",{b},{here},0⏎⏎OK⏎
        > AT+CIPSEND=4
        < ⏎OK⏎⏎>
        >> to b
        < ⏎Recv 4 bytes⏎⏎SEND OK⏎
        b gets to b
        > AT+CIPSEND=4,"::1",{a}
        < ⏎OK⏎⏎>
        >> to a
        < ⏎Recv 4 bytes⏎⏎SEND OK⏎
        a gets to a
        > AT+CIPSEND=4,"localhost",{a}
        < ⏎OK⏎⏎>
        >> to a
        < ⏎Recv 4 bytes⏎⏎SEND OK⏎
        a gets to a
        > AT+CIPSEND=0
        < ⏎OK⏎⏎>⏎Recv 0 bytes⏎⏎SEND OK⏎
        b gets
        b sends
        < ⏎+IPD,0,"::1",{b}:
        > AT+CIPSENDL=6
        < ⏎OK⏎⏎>
        >> long b
        < +CIPSENDL:6,6⏎⏎SEND OK⏎
        b gets long b
        """
    )


@pytest.mark.parametrize("host", ["0", "::"])
def test_udp_that_only_receives(play_ipv6, host):
    play_ipv6(
        """
        udp a ::1
        free here
        > AT+CIPSTART="UDPv6","HOST",{a},{here},2
        < CONNECT⏎⏎OK⏎
        > AT+CIPSTATE?
        < +CIPSTATE:0,"UDPv6","::",{a},{here},0⏎⏎OK⏎
        > AT+CIPSEND=4
        < ⏎OK⏎⏎>
        >> data
        < ⏎Recv 4 bytes⏎⏎SEND FAIL⏎
        a faces {here}
        a sends hello
        < ⏎+IPD,5:hello
        > AT+CIPSEND=4
        < ⏎OK⏎⏎>
        >> data
        < ⏎Recv 4 bytes⏎⏎SEND OK⏎
        a gets data
        """.replace("HOST", host)
    )


def test_both_families_beside_each_other(play_ipv6):
    """Even at the same port."""
    play_ipv6(
        """
        udp a
        udp b ::1
        free here
        a faces {here}
        b faces {here}
        > AT+CIPMUX=1
        < ⏎OK⏎
        > AT+CIPSTART=0,"UDP","127.0.0.1",{a},{here}
        < 0,CONNECT⏎⏎OK⏎
        > AT+CIPSTART=1,"UDPv6","::1",{b},{here},0,"::1"
        < 1,CONNECT⏎⏎OK⏎
        b sends six
        < ⏎+IPD,1,3:six
        a sends four
        < ⏎+IPD,0,4:four
        """
    )


def test_server(online):
    online.command("AT+CIPV6=1")
    online.command("AT+CIPMUX=1")
    online.command("AT+CIPDINFO=1")
    with socket.socket(socket.AF_INET6) as free:
        free.bind(("::1", 0))
        port = free.getsockname()[1]
    online.command(f'AT+CIPSERVER=1,{port},"TCPv6"')
    online.send("AT+CIPSERVER?")
    online.expect(f'+CIPSERVER:1,{port},"TCPv6",0,0⏎⏎OK⏎')
    with socket.create_connection(("::1", port), LIMIT) as client:
        online.expect("0,CONNECT⏎")
        client.sendall(b"hello")
        here = client.getsockname()[1]
        online.expect(f'⏎+IPD,0,5,"::1",{here}:hello')
        online.send("AT+CIPSTATE?")
        online.expect(f'+CIPSTATE:0,"TCPv6","::1",{here},{port},1⏎⏎OK⏎')
        online.send("AT+CIPSEND=0,4")
        online.expect("⏎OK⏎⏎>")
        online.write(b"back")
        online.expect("⏎Recv 4 bytes⏎⏎SEND OK⏎")
        assert client.recv(100) == b"back"
    online.expect("0,CLOSED⏎")
    online.command("AT+CIPSERVER=0")
    online.settled()


# Groups


def groups():
    """Which IPv6 groups of this PC are joined at which interface, as the kernel lists them."""
    rows = [row.split() for row in pathlib.Path("/proc/net/igmp6").read_text().splitlines()]
    return [(row[1], socket.inet_ntop(socket.AF_INET6, bytes.fromhex(row[2]))) for row in rows]


def test_a_group_is_joined_where_the_station_is(online):
    online.command("AT+CIPV6=1")
    here = FreePort().port
    online.send(f'AT+CIPSTART="UDPv6","FF02:0::4D50:5941",4000,{here},0')
    online.expect("CONNECT⏎⏎OK⏎")
    assert [device for device, group in groups() if group == GROUP] == ["lo"]
    online.send("AT+CIPSTATE?")
    online.expect(f'+CIPSTATE:0,"UDPv6","{GROUP}",4000,{here},0⏎⏎OK⏎')
    online.send("AT+CIPCLOSE")
    online.expect("CLOSED⏎⏎OK⏎")
    assert GROUP not in [group for _, group in groups()]


def test_multicast(online):
    """To and from a group, where the PC sends to groups on its loopback at all."""
    peer = UDPPeer("::")
    peer.sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF, LOOPBACK)
    membership = socket.inet_pton(socket.AF_INET6, GROUP) + struct.pack("=I", LOOPBACK)
    peer.sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_JOIN_GROUP, membership)
    here = FreePort().port
    peer.face(here, GROUP)
    try:
        peer.send(b"nobody hears this")
    except OSError:
        pytest.skip("no route to IPv6 groups on loopback: ip -6 route add local ff00::/8 dev lo table local")
    online.command("AT+CIPV6=1")
    online.command("AT+CIPDINFO=1")
    online.send(f'AT+CIPSTART="UDPv6","{GROUP}",{peer.port},{here},0')
    online.expect("CONNECT⏎⏎OK⏎")
    online.send("AT+CIPSEND=12")
    online.expect("⏎OK⏎⏎>")
    online.write(b"to the group")
    online.expect("⏎Recv 12 bytes⏎⏎SEND OK⏎")
    assert peer.get() == b"to the group"
    peer.face(here, GROUP)
    peer.send(b"from the group")
    online.expect(f'⏎+IPD,14,"::1",{peer.port}:from the group')
    peer.close()


def test_link_local(online):
    """An address that is valid at one interface only, whose name stands behind it."""
    rows = [row.split() for row in pathlib.Path("/proc/net/if_inet6").read_text().splitlines()]
    found = [row for row in rows if row[0].startswith("fe80")]
    if not found:
        pytest.skip("this PC has no link-local address")
    address = socket.inet_ntop(socket.AF_INET6, bytes.fromhex(found[0][0]))
    name = found[0][5]
    with socket.socket(socket.AF_INET6) as listener:
        listener.settimeout(LIMIT)
        listener.bind((address, 0, 0, int(found[0][1], 16)))
        listener.listen()
        port = listener.getsockname()[1]
        online.command("AT+CIPV6=1")
        online.send(f'AT+CIPSTART="TCPv6","{address}%{name}",{port}')
        online.expect("CONNECT⏎⏎OK⏎")
        with listener.accept()[0]:
            online.send("AT+CIPSTATE?")
            online.match(rf'\+CIPSTATE:0,"TCPv6","{re.escape(address)}(%{name})?",{port},6\d{{4}},0\r\n\r\nOK\r\n')
        online.expect("CLOSED⏎")
