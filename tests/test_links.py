"""Links to TCP servers: their ids, their modes, how they are listed and closed.
How they are opened is in test_connect.py, what travels over them in test_send.py, many at once in test_load.py."""

from peers import Peer


def test_one_link(play_online):
    play_online(
        """
        peer web
        link web
        > AT+CIPSEND=5
        < ⏎OK⏎⏎>
        >> hello
        < ⏎Recv 5 bytes⏎⏎SEND OK⏎
        web gets hello
        web sends good day
        < ⏎+IPD,8:good day
        > AT+CIPCLOSE
        < CLOSED⏎⏎OK⏎
        web ended
        """
    )


def test_several_links(play_online):
    play_online(
        """
        peer a
        peer b
        > AT+CIPMUX=1
        < ⏎OK⏎
        link a 4
        link b 0
        b sends from b
        < ⏎+IPD,0,6:from b
        a sends from a
        < ⏎+IPD,4,6:from a
        > AT+CIPSEND=4,4
        < ⏎OK⏎⏎>
        >> to a
        < ⏎Recv 4 bytes⏎⏎SEND OK⏎
        a gets to a
        a closes
        < 4,CLOSED⏎
        > AT+CIPSEND=4,4
        < ⏎ERROR⏎
        > AT+CIPCLOSE=4
        < ⏎ERROR⏎
        > AT+CIPCLOSE=0
        < 0,CLOSED⏎⏎OK⏎
        b ended
        """
    )


def test_mode_changes_only_without_links(play_online):
    play_online(
        """
        peer web
        > AT+CIPMUX?
        < +CIPMUX:0⏎⏎OK⏎
        > AT+CIPMUX=?
        < +CIPMUX:<mode>(0-1)⏎⏎OK⏎
        > AT+CIPMUX=2
        < ⏎ERROR⏎
        link web
        > AT+CIPMUX=1
        < ⏎ERROR⏎
        > AT+CIPMUX=0
        < ⏎OK⏎
        > AT+CIPCLOSE
        < CLOSED⏎⏎OK⏎
        > AT+CIPMUX=1
        < ⏎OK⏎
        > AT+CIPMUX?
        < +CIPMUX:1⏎⏎OK⏎
        link web 2
        > AT+CIPMUX=0
        < ⏎ERROR⏎
        web closes
        < 2,CLOSED⏎
        > AT+CIPMUX=0
        < ⏎OK⏎
        """
    )


def test_a_link_in_use(play_online):
    play_online(
        """
        peer web
        link web
        > AT+CIPSTART="TCP","127.0.0.1",{web}
        < ⏎ERROR⏎
        > AT+CIPSTARTEX="TCP","127.0.0.1",{web}
        < ⏎ERROR⏎
        web sends still here
        < ⏎+IPD,10:still here
        """
    )


def test_parameters_that_do_not_fit(play_online):
    play_online(
        """
        # Without CIPMUX=1 there is no id, with it there must be one.
        > AT+CIPSTART=0,"TCP","127.0.0.1",80
        < ⏎ERROR⏎
        > AT+CIPSTART="TCP","127.0.0.1"
        < ⏎ERROR⏎
        > AT+CIPSTART="TCP","127.0.0.1",0
        < ⏎ERROR⏎
        > AT+CIPSTART="TCP","127.0.0.1",65536
        < ⏎ERROR⏎
        > AT+CIPSTART="TCP","127.0.0.1","80"
        < ⏎ERROR⏎
        > AT+CIPSTART="XYZ","127.0.0.1",80
        < ⏎ERROR⏎
        > AT+CIPSTART="TCP","127.0.0.1",80,7201
        < ⏎ERROR⏎
        > AT+CIPSTART="TCP","127.0.0.1",80,0,,60001
        < ⏎ERROR⏎
        > AT+CIPSTART="TCP","127.0.0.1",80,0,,0,0
        < ⏎ERROR⏎
        > AT+CIPCLOSE=0
        < ⏎ERROR⏎
        > AT+CIPCLOSE
        < ⏎ERROR⏎
        > AT+CIPMUX=1
        < ⏎OK⏎
        > AT+CIPSTART="TCP","127.0.0.1",80
        < ⏎ERROR⏎
        > AT+CIPSTART=5,"TCP","127.0.0.1",80
        < ⏎ERROR⏎
        > AT+CIPCLOSE
        < ⏎ERROR⏎
        > AT+CIPCLOSE=6
        < ⏎ERROR⏎
        > AT+CIPCLOSE=5
        < ⏎OK⏎
        """
    )


def test_ids_given_out(play_online):
    play_online(
        """
        peer web
        # In single connection mode the one link has no id.
        > AT+CIPSTARTEX="TCP","127.0.0.1",{web}
        web accepts
        < CONNECT⏎⏎OK⏎
        > AT+CIPCLOSE
        < CLOSED⏎⏎OK⏎
        > AT+CIPMUX=1
        < ⏎OK⏎
        link web 1
        > AT+CIPSTARTEX="TCP","127.0.0.1",{web}
        < 0,CONNECT⏎⏎OK⏎
        > AT+CIPSTARTEX="TCP","127.0.0.1",{web}
        < 2,CONNECT⏎⏎OK⏎
        > AT+CIPSTARTEX="TCP","127.0.0.1",{web}
        < 3,CONNECT⏎⏎OK⏎
        > AT+CIPSTARTEX="TCP","127.0.0.1",{web}
        < 4,CONNECT⏎⏎OK⏎
        > AT+CIPSTARTEX="TCP","127.0.0.1",{web}
        < ⏎ERROR⏎
        > AT+CIPCLOSE=2
        < 2,CLOSED⏎⏎OK⏎
        > AT+CIPSTARTEX="TCP","127.0.0.1",{web}
        < 2,CONNECT⏎⏎OK⏎
        > AT+CIPCLOSE=5
        < 0,CLOSED⏎1,CLOSED⏎2,CLOSED⏎3,CLOSED⏎4,CLOSED⏎⏎OK⏎
        web ended
        """
    )


def test_without_a_network(play):
    play(
        """
        peer web
        > AT+CIPSTART="TCP","127.0.0.1",{web}
        < ⏎ERROR⏎
        > AT+CIPSTATUS
        < STATUS:1⏎⏎OK⏎
        > AT+CWMODE=0
        < ⏎OK⏎
        > AT+CIPSTATUS
        < STATUS:0⏎⏎OK⏎
        > AT+CIFSR
        < ⏎OK⏎
        """
    )


def test_status(play_online):
    play_online(
        """
        peer web
        > AT+CIPSTATUS
        < STATUS:2⏎⏎OK⏎
        > AT+CIPSTATE?
        < ⏎OK⏎
        link web
        > AT+CIPSTATUS
        ~ STATUS:3⏎\\+CIPSTATUS:0,"TCP","127\\.0\\.0\\.1",{web},6\\d{4},0⏎⏎OK⏎
        > AT+CIPSTATE?
        ~ \\+CIPSTATE:0,"TCP","127\\.0\\.0\\.1",{web},6\\d{4},0⏎⏎OK⏎
        web closes
        < CLOSED⏎
        > AT+CIPSTATUS
        < STATUS:4⏎⏎OK⏎
        ! ap down mpy-at
        < WIFI DISCONNECT⏎
        > AT+CIPSTATUS
        < STATUS:5⏎⏎OK⏎
        """
    )


def test_list_of_links_tells_the_port_that_the_peer_sees(online):
    peers = [Peer() for _ in range(3)]
    online.command("AT+CIPMUX=1")
    expected = ""
    for number, peer in zip((1, 3, 4), peers, strict=True):
        online.send(f'AT+CIPSTART={number},"TCP","127.0.0.1",{peer.port}')
        online.expect(f"{number},CONNECT⏎⏎OK⏎")
        peer.accept()
        expected += f'+CIPSTATE:{number},"TCP","127.0.0.1",{peer.port},{peer.address[1]},0⏎'
    online.send("AT+CIPSTATE?")
    online.expect(expected + "⏎OK⏎")
    for peer in peers:
        peer.close()
    for _ in peers:
        online.match(r"\d,CLOSED\r\n")
    online.settled()


def test_connected_in_detail(online):
    """AT+SYSMSG bit 1 gives the whole link in place of CONNECT."""
    peer = Peer()
    online.command("AT+SYSMSG=2")
    online.send(f'AT+CIPSTART="TCP","127.0.0.1",{peer.port}')
    peer.accept()
    online.expect(f'+LINK_CONN:0,0,"TCP",0,"127.0.0.1",{peer.port},{peer.address[1]}⏎⏎OK⏎')
    peer.close()
    online.expect("CLOSED⏎")


def test_origin_of_data(play_online):
    play_online(
        """
        peer web
        > AT+CIPDINFO?
        < +CIPDINFO:false⏎⏎OK⏎
        > AT+CIPDINFO=1
        < ⏎OK⏎
        > AT+CIPDINFO?
        < +CIPDINFO:true⏎⏎OK⏎
        > AT+CIPDINFO=2
        < ⏎ERROR⏎
        link web
        web sends abc
        < ⏎+IPD,3,"127.0.0.1",{web}:abc
        > AT+CIPCLOSE
        < CLOSED⏎⏎OK⏎
        > AT+CIPMUX=1
        < ⏎OK⏎
        link web 3
        web sends abc
        < ⏎+IPD,3,3,"127.0.0.1",{web}:abc
        > AT+CIPDINFO=0
        < ⏎OK⏎
        web sends abc
        < ⏎+IPD,3,3:abc
        """
    )


def test_own_addresses(play_online):
    play_online(
        """
        > AT+CIFSR
        < +CIFSR:STAIP,"127.0.0.1"⏎+CIFSR:STAMAC,"24:0a:c4:c0:ff:ee"⏎⏎OK⏎
        > AT+CIFSR?
        < ⏎ERROR⏎
        """
    )
