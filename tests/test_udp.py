"""UDP links: how they are opened, who their peer is, and when that changes.
What travels over them, and to whom else, is in test_datagrams.py."""

import pytest
from peers import UDPPeer


def test_both_ways(play_online):
    play_online(
        """
        udp a
        > AT+CIPSTART="UDP","127.0.0.1",{a}
        < CONNECT⏎⏎OK⏎
        > AT+CIPSEND=5
        < ⏎OK⏎⏎>
        >> hello
        < ⏎Recv 5 bytes⏎⏎SEND OK⏎
        a gets hello
        a sends good day
        < ⏎+IPD,8:good day
        > AT+CIPSTATUS
        ~ STATUS:3⏎\\+CIPSTATUS:0,"UDP","127\\.0\\.0\\.1",{a},6\\d{4},0⏎⏎OK⏎
        > AT+CIPSTATE?
        ~ \\+CIPSTATE:0,"UDP","127\\.0\\.0\\.1",{a},6\\d{4},0⏎⏎OK⏎
        > AT+CIPSTART="UDP","127.0.0.1",{a}
        ~ (ALREADY CONNECTED⏎)?⏎ERROR⏎
        > AT+CIPMUX=1
        < ⏎ERROR⏎
        > AT+CIPCLOSE
        < CLOSED⏎⏎OK⏎
        > AT+CIPSTATUS
        < STATUS:4⏎⏎OK⏎
        """
    )


def test_the_peer_stays(play_online):
    """Mode 0, which is also what holds when the host names none."""
    play_online(
        """
        udp a
        udp b
        free here
        b faces {here}
        > AT+CIPDINFO=1
        < ⏎OK⏎
        > AT+CIPSTART="UDP","127.0.0.1",{a},{here}
        < CONNECT⏎⏎OK⏎
        b sends from b
        < ⏎+IPD,6,"127.0.0.1",{b}:from b
        > AT+CIPSTATE?
        < +CIPSTATE:0,"UDP","127.0.0.1",{a},{here},0⏎⏎OK⏎
        > AT+CIPSEND=4
        < ⏎OK⏎⏎>
        >> to a
        < ⏎Recv 4 bytes⏎⏎SEND OK⏎
        a gets to a
        a sends from a
        < ⏎+IPD,6,"127.0.0.1",{a}:from a
        """
    )


def test_the_peer_changes_once(play_online):
    """Mode 1: the first who sends and is not the peer becomes it, even after data from the peer itself."""
    play_online(
        """
        udp a
        udp b
        udp c
        free here
        a faces {here}
        b faces {here}
        c faces {here}
        > AT+CIPDINFO=1
        < ⏎OK⏎
        > AT+CIPSTART="UDP","127.0.0.1",{a},{here},1
        < CONNECT⏎⏎OK⏎
        a sends still a
        < ⏎+IPD,7,"127.0.0.1",{a}:still a
        > AT+CIPSTATE?
        < +CIPSTATE:0,"UDP","127.0.0.1",{a},{here},0⏎⏎OK⏎
        b sends now b
        < ⏎+IPD,5,"127.0.0.1",{b}:now b
        > AT+CIPSTATE?
        < +CIPSTATE:0,"UDP","127.0.0.1",{b},{here},0⏎⏎OK⏎
        c sends not c
        < ⏎+IPD,5,"127.0.0.1",{c}:not c
        a sends nor a
        < ⏎+IPD,5,"127.0.0.1",{a}:nor a
        > AT+CIPSEND=4
        < ⏎OK⏎⏎>
        >> to b
        < ⏎Recv 4 bytes⏎⏎SEND OK⏎
        b gets to b
        > AT+CIPSTATE?
        < +CIPSTATE:0,"UDP","127.0.0.1",{b},{here},0⏎⏎OK⏎
        """
    )


def test_the_peer_is_the_last_who_sent(play_online):
    """Mode 2."""
    play_online(
        """
        udp a
        udp b
        free here
        a faces {here}
        b faces {here}
        > AT+CIPSTART="UDP","127.0.0.1",{a},{here},2
        < CONNECT⏎⏎OK⏎
        b sends from b
        < ⏎+IPD,6:from b
        > AT+CIPSEND=4
        < ⏎OK⏎⏎>
        >> to b
        < ⏎Recv 4 bytes⏎⏎SEND OK⏎
        b gets to b
        a sends from a
        < ⏎+IPD,6:from a
        > AT+CIPSTATE?
        < +CIPSTATE:0,"UDP","127.0.0.1",{a},{here},0⏎⏎OK⏎
        > AT+CIPSEND=4
        < ⏎OK⏎⏎>
        >> to a
        < ⏎Recv 4 bytes⏎⏎SEND OK⏎
        a gets to a
        """
    )


def test_local_address_and_port(play_online):
    play_online(
        """
        udp a
        udp taken
        free here
        > AT+CIPSTART="UDP","127.0.0.1",{a},{here},0,"127.0.0.3"
        < CONNECT⏎⏎OK⏎
        > AT+CIPSEND=1
        < ⏎OK⏎⏎>
        >> !
        < ⏎Recv 1 bytes⏎⏎SEND OK⏎
        a gets !
        a sends ?
        < ⏎+IPD,1:?
        > AT+CIPCLOSE
        < CLOSED⏎⏎OK⏎
        # A port that another has, an address that is not the module's, and others that are none.
        > AT+CIPSTART="UDP","127.0.0.1",{a},{taken}
        < ⏎ERROR⏎
        > AT+CIPSTART="UDP","127.0.0.1",{a},,,"192.0.2.77"
        < ⏎ERROR⏎
        > AT+CIPSTART="UDP","127.0.0.1",{a},,,"nonsense.example"
        < ⏎ERROR⏎
        > AT+CIPSTART="UDP","127.0.0.1",{a},,,"::1"
        < ⏎ERROR⏎
        > AT+CIPSTART="UDP","127.0.0.1",{a},65536
        < ⏎ERROR⏎
        > AT+CIPSTART="UDP","127.0.0.1",{a},{here},3
        < ⏎ERROR⏎
        > AT+CIPSTATE?
        < ⏎OK⏎
        # The port is free again at once.
        > AT+CIPSTART="UDP","127.0.0.1",{a},{here}
        < CONNECT⏎⏎OK⏎
        """
    )


@pytest.mark.parametrize(
    "line",
    [
        'AT+CIPSTARTEX="UDP","127.0.0.1",{a},,0',
        'AT+CIPSTART="UDP","127.0.0.1",{a},10',
        'AT+CIPSTART="udp","127.0.0.1",{a},{here},0,',
        'AT+CIPSTART="UDP","127.0.0.1",{a},0,2,"",5000',
        'AT+CIPSTART="UDP","localhost",{a},,,"127.0.0.1",0',
    ],
)
def test_what_drivers_send(play_online, line):
    if line.endswith(",10"):
        try:
            UDPPeer(port=10).close()
        except PermissionError:
            pytest.skip("an ordinary user cannot have port 10")
    play_online(
        """
        udp a
        free here
        > LINE
        < CONNECT⏎⏎OK⏎
        > AT+CIPSEND=4
        < ⏎OK⏎⏎>
        >> data
        < ⏎Recv 4 bytes⏎⏎SEND OK⏎
        a gets data
        a sends back
        < ⏎+IPD,4:back
        """.replace("LINE", line)
    )


@pytest.mark.parametrize("host, port", [("0.0.0.0", "{a}"), ("0", "0"), ("0.0.0.0", "0")])
def test_receive_only(play_online, host, port):
    """Nobody is the peer until a datagram has come; sending says so, and the link stays."""
    play_online(
        f"""
        udp a
        free here
        > AT+CIPMUX=1
        < ⏎OK⏎
        > AT+CIPSTART=4,"UDP","{host}",{port},{{here}},2
        < 4,CONNECT⏎⏎OK⏎
        > AT+CIPSTATE?
        < +CIPSTATE:4,"UDP","0.0.0.0",{port},{{here}},0⏎⏎OK⏎
        > AT+CIPSEND=4,5
        < ⏎OK⏎⏎>
        >> hello
        < ⏎Recv 5 bytes⏎⏎SEND FAIL⏎
        a faces {{here}}
        a sends first
        < ⏎+IPD,4,5:first
        > AT+CIPSEND=4,5
        < ⏎OK⏎⏎>
        >> hello
        < ⏎Recv 5 bytes⏎⏎SEND OK⏎
        a gets hello
        > AT+CIPSTATE?
        < +CIPSTATE:4,"UDP","127.0.0.1",{{a}},{{here}},0⏎⏎OK⏎
        """
    )


def test_ids_and_kinds(play_online):
    """Links of both kinds beside each other, and the ids that are given out."""
    play_online(
        """
        peer web
        udp a
        free here
        > AT+CIPMUX=1
        < ⏎OK⏎
        > AT+CIPSTART=1,"UDP","127.0.0.1",{a},{here}
        < 1,CONNECT⏎⏎OK⏎
        > AT+CIPSTARTEX="TCP","127.0.0.1",{web}
        web accepts
        < 0,CONNECT⏎⏎OK⏎
        > AT+CIPSTARTEX="UDP","127.0.0.1",{a},,2
        < 2,CONNECT⏎⏎OK⏎
        > AT+CIPSTATE?
        ~ \\+CIPSTATE:0,"TCP","127\\.0\\.0\\.1",{web},6\\d{4},0⏎
        ~ \\+CIPSTATE:1,"UDP","127\\.0\\.0\\.1",{a},{here},0⏎
        ~ \\+CIPSTATE:2,"UDP","127\\.0\\.0\\.1",{a},6\\d{4},0⏎⏎OK⏎
        > AT+CIPSEND=2,1
        < ⏎OK⏎⏎>
        >> 2
        < ⏎Recv 1 bytes⏎⏎SEND OK⏎
        a gets 2
        a sends to 2
        < ⏎+IPD,2,4:to 2
        a faces {here}
        a sends to 1
        < ⏎+IPD,1,4:to 1
        > AT+CIPCLOSE=5
        < 0,CLOSED⏎1,CLOSED⏎2,CLOSED⏎⏎OK⏎
        web ended
        """
    )


def test_connected_in_detail(play_online):
    play_online(
        """
        udp a
        free here
        > AT+SYSMSG=2
        < ⏎OK⏎
        > AT+CIPSTART="UDP","127.0.0.1",{a},{here}
        < +LINK_CONN:0,0,"UDP",0,"127.0.0.1",{a},{here}⏎⏎OK⏎
        """
    )


def test_a_closed_port_does_not_end_the_link(play_online):
    play_online(
        """
        udp a
        udp b
        free here
        > AT+CIPSTART="UDP","127.0.0.1",{a},{here},0
        < CONNECT⏎⏎OK⏎
        a closes
        > AT+CIPSEND=4
        < ⏎OK⏎⏎>
        >> lost
        < ⏎Recv 4 bytes⏎⏎SEND OK⏎
        > AT+CIPSEND=4
        < ⏎OK⏎⏎>
        >> lost
        < ⏎Recv 4 bytes⏎⏎SEND OK⏎
        b faces {here}
        b sends alive
        < ⏎+IPD,5:alive
        > AT+CIPSTATE?
        < +CIPSTATE:0,"UDP","127.0.0.1",{a},{here},0⏎⏎OK⏎
        """
    )
