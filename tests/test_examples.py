"""Each example of the manual's TCP/IP chapter, in the manual's order, with its names as they stand there; only
TLS, passthrough and the update of the firmware have their tests elsewhere.

The hosts are on loopback: a name server of the test knows the manual's names, addresses are 127.x.x.x or ::1, and
ports are free ones, as an ordinary user may not have the manual's."""

import pytest
from nameserver import Responder
from privileges import pings
from timeserver import TimeServer, seconds
from transcript import play as play_transcript

BOARDS = pytest.mark.parametrize("board", ["esp32", "esp8266"])
HOSTS = {
    "iot.espressif.cn": ["127.0.0.1"],
    "ipv6.test-ipv6.com": ["::1"],
    "ds.test-ipv6.com": ["::1", "127.0.0.1"],
    "test-ipv6.com": ["::1"],
    "cn.ntp.org.cn": ["127.0.0.1"],
    "ntp.sjtu.edu.cn": ["127.0.0.1"],
    "0.pool.ntp.org": ["127.0.0.1"],
    "time.google.com": ["127.0.0.1"],
    "www.baidu.com": ["127.0.0.1"],
}

JOIN = """
    > AT+CWMODE=1
    < ⏎OK⏎
    > AT+CWJAP="mpy-at","12345678"
    < WIFI CONNECTED⏎WIFI GOT IP⏎⏎OK⏎
"""

EXAMPLES = {
    "CIPDOMAIN": """
        > AT+CIPDOMAIN="iot.espressif.cn"
        < +CIPDOMAIN:"127.0.0.1"⏎⏎OK⏎
        > AT+CIPDOMAIN="iot.espressif.cn",2
        < +CIPDOMAIN:"127.0.0.1"⏎⏎OK⏎
        > AT+CIPDOMAIN="ds.test-ipv6.com",1
        < +CIPDOMAIN:"127.0.0.1"⏎⏎OK⏎
    """,
    "CIPSTART TCP": """
        peer a
        > AT+CIPSTART="TCP","iot.espressif.cn",{a}
        < CONNECT⏎⏎OK⏎
        a accepts
        > AT+CIPCLOSE
        < CLOSED⏎⏎OK⏎
        a ended
        > AT+CIPSTART="TCP","127.0.0.1",{a}
        < CONNECT⏎⏎OK⏎
        a accepts
        > AT+CIPCLOSE
        < CLOSED⏎⏎OK⏎
        > AT+CIPSTART="TCP","127.0.0.1",{a},,"127.0.0.1"
        < CONNECT⏎⏎OK⏎
        a accepts
        > AT+CIPSTATE?
        ~ \\+CIPSTATE:0,"TCP","127\\.0\\.0\\.1",{a},\\d+,0⏎⏎OK⏎
    """,
    "CIPSTART UDP": """
        udp a 127.0.0.2
        udp b 127.0.0.3
        free here
        > AT+CIPSTART="UDP","127.0.0.2",{a},{here},2
        < CONNECT⏎⏎OK⏎
        > AT+CIPSEND=2
        < ⏎OK⏎⏎>
        >> hi
        < ⏎Recv 2 bytes⏎⏎SEND OK⏎
        a gets hi
        # Mode 2: the peer is who sent last.
        b faces {here}
        b sends hello
        < ⏎+IPD,5:hello
        > AT+CIPSTATE?
        < +CIPSTATE:0,"UDP","127.0.0.3",{b},{here},0⏎⏎OK⏎
        > AT+CIPCLOSE
        < CLOSED⏎⏎OK⏎
        > AT+CIPSTART="UDP","127.0.0.2",{a},,,"127.0.0.1"
        < CONNECT⏎⏎OK⏎
        > AT+CIPSEND=2
        < ⏎OK⏎⏎>
        >> hi
        < ⏎Recv 2 bytes⏎⏎SEND OK⏎
        a gets hi
        a sends hello
        < ⏎+IPD,5:hello
    """,
    "CIPMUX": """
        > AT+CIPMUX=1
        < ⏎OK⏎
        > AT+CIPMUX?
        < +CIPMUX:1⏎⏎OK⏎
    """,
    "CIPSERVER": """
        door d
        > AT+CIPMUX=1
        < ⏎OK⏎
        > AT+CIPSERVER=1,{d}
        < ⏎OK⏎
        client c {d}
        < 0,CONNECT⏎
        c sends hello
        < ⏎+IPD,0,5:hello
        > AT+CIPSERVER=0,1
        < 0,CLOSED⏎⏎OK⏎
        c ended
    """,
    "CIPSERVERMAXCONN": """
        door d
        > AT+CIPMUX=1
        < ⏎OK⏎
        > AT+CIPSERVERMAXCONN=2
        < ⏎OK⏎
        > AT+CIPSERVER=1,{d}
        < ⏎OK⏎
        client a {d}
        < 0,CONNECT⏎
        client b {d}
        < 1,CONNECT⏎
    """,
    "CIPSTO": """
        door d
        > AT+CIPMUX=1
        < ⏎OK⏎
        > AT+CIPSERVER=1,{d}
        < ⏎OK⏎
        > AT+CIPSTO=10
        < ⏎OK⏎
        > AT+CIPSTO?
        < +CIPSTO:10⏎⏎OK⏎
    """,
    "CIPDINFO": """
        peer a
        > AT+CIPDINFO=1
        < ⏎OK⏎
        > AT+CIPSTART="TCP","127.0.0.1",{a}
        < CONNECT⏎⏎OK⏎
        a accepts
        a sends hello
        < ⏎+IPD,5,"127.0.0.1",{a}:hello
    """,
    "CIPRECVMODE": """
        > AT+CIPRECVMODE=1
        < ⏎OK⏎
        > AT+CIPRECVMODE?
        < +CIPRECVMODE:1⏎⏎OK⏎
    """,
    # 100 bytes wait in link 0.
    "CIPRECVDATA and CIPRECVLEN": """
        peer a
        > AT+CIPMUX=1
        < ⏎OK⏎
        > AT+CIPRECVMODE=1
        < ⏎OK⏎
        > AT+CIPSTART=0,"TCP","127.0.0.1",{a}
        < 0,CONNECT⏎⏎OK⏎
        a accepts
        a sends 0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789
        < ⏎+IPD,0,100⏎
        > AT+CIPRECVLEN?
        < +CIPRECVLEN:100,-1,-1,-1,-1⏎⏎OK⏎
        > AT+CIPRECVDATA=0,100
        < +CIPRECVDATA:100,
        < 0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789
        < ⏎OK⏎
    """,
    # Servers of the Internet, which nobody asks here.
    "CIPDNS": """
        > AT+CIPDNS=1,"208.67.222.222","114.114.114.114","8.8.8.8"
        < ⏎OK⏎
        > AT+CIPDNS?
        < +CIPDNS:1,"208.67.222.222","114.114.114.114","8.8.8.8"⏎⏎OK⏎
        > AT+CIPDNS=0
        < ⏎OK⏎
        > AT+CIPDNS?
        < +CIPDNS:0,"127.0.0.1"⏎⏎OK⏎
    """,
}

IPV6_EXAMPLES = {
    "CIPV6": """
        > AT+CIPV6?
        < +CIPV6:1⏎⏎OK⏎
    """,
    "CIPDOMAIN": """
        > AT+CIPDOMAIN="ipv6.test-ipv6.com",3
        < +CIPDOMAIN:"::1"⏎⏎OK⏎
        > AT+CIPDOMAIN="ds.test-ipv6.com",1
        < +CIPDOMAIN:"127.0.0.1"⏎⏎OK⏎
    """,
    "CIPSTART TCPv6": """
        peer a ::1
        > AT+CIPSTART="TCPv6","test-ipv6.com",{a}
        < CONNECT⏎⏎OK⏎
        a accepts
        > AT+CIPCLOSE
        < CLOSED⏎⏎OK⏎
        > AT+CIPSTART="TCPv6","::1",{a},,"::1"
        < CONNECT⏎⏎OK⏎
        a accepts
        > AT+CIPSTATE?
        ~ \\+CIPSTATE:0,"TCPv6","::1",{a},\\d+,0⏎⏎OK⏎
    """,
    "CIPSTART UDPv6": """
        udp a ::1
        free here
        > AT+CIPSTART="UDPv6","::1",{a},,,"::1"
        < CONNECT⏎⏎OK⏎
        > AT+CIPSEND=2
        < ⏎OK⏎⏎>
        >> hi
        < ⏎Recv 2 bytes⏎⏎SEND OK⏎
        a gets hi
        a sends hello
        < ⏎+IPD,5:hello
        > AT+CIPCLOSE
        < CLOSED⏎⏎OK⏎
        > AT+CIPSTART="UDPv6","FF02::FC",1000,{here},0
        < CONNECT⏎⏎OK⏎
        > AT+CIPSTATE?
        < +CIPSTATE:0,"UDPv6","ff02::fc",1000,{here},0⏎⏎OK⏎
    """,
    "CIPDNS": """
        > AT+CIPDNS=1,"240c::6666","2001:4860:4860::8888","240e:5a::6666"
        < ⏎OK⏎
        > AT+CIPDNS?
        < +CIPDNS:1,"240c::6666","2001:4860:4860::8888","240e:5a::6666"⏎⏎OK⏎
    """,
}


@pytest.fixture
def names():
    responder = Responder(HOSTS)
    yield responder
    responder.close()


@pytest.fixture
def clock():
    server = TimeServer()
    yield server
    server.close()


@pytest.fixture
def module(start, names, clock, tmp_path, board):
    path = names.access_points(tmp_path, f"ntp_port = {clock.port}\n")
    module = start("--board", board, "--wifi", path)
    play_transcript(module, JOIN)
    return module


@BOARDS
@pytest.mark.parametrize("name", EXAMPLES)
def test_example(module, name):
    play_transcript(module, EXAMPLES[name])


@pytest.mark.ipv6
@pytest.mark.parametrize("board", ["esp32"])
@pytest.mark.parametrize("name", IPV6_EXAMPLES)
def test_example_with_ipv6(module, name):
    module.command("AT+CIPV6=1")
    play_transcript(module, IPV6_EXAMPLES[name])


@pings
@BOARDS
@pytest.mark.parametrize("host", ["127.0.0.1", "www.baidu.com"])
def test_ping(module, host):
    module.send(f'AT+PING="{host}"')
    module.match(r"\+PING:\d+\r\n\r\nOK\r\n")


@pytest.mark.ipv6
@pings
@pytest.mark.parametrize("board", ["esp32"])
def test_ping_with_ipv6(module):
    module.command("AT+CIPV6=1")
    module.send('AT+PING="::1"')
    module.match(r"\+PING:\d+\r\n\r\nOK\r\n")


@BOARDS
@pytest.mark.parametrize(
    ("parameters", "kept", "local"),
    [
        ('8,"cn.ntp.org.cn","ntp.sjtu.edu.cn"', '8,"cn.ntp.org.cn","ntp.sjtu.edu.cn"', "Mon Dec 12 02:33"),
        ('800,"cn.ntp.org.cn","ntp.sjtu.edu.cn"', '8,"cn.ntp.org.cn","ntp.sjtu.edu.cn"', "Mon Dec 12 02:33"),
        ('-5,"0.pool.ntp.org","time.google.com"', '-5,"0.pool.ntp.org","time.google.com"', "Sun Dec 11 13:33"),
        ('-500,"0.pool.ntp.org","time.google.com"', '-5,"0.pool.ntp.org","time.google.com"', "Sun Dec 11 13:33"),
        ('1245,"0.pool.ntp.org","time.google.com"', '12,"0.pool.ntp.org","time.google.com"', "Mon Dec 12 07:18"),
    ],
)
def test_time(module, clock, parameters, kept, local):
    module.command(f"AT+CIPSNTPCFG=1,{parameters}")
    clock.asked()
    clock.answer(seconds(2016, 12, 11, 18, 33, 32))
    module.expect("+TIME_UPDATED⏎")
    module.send("AT+CIPSNTPTIME?")
    module.match(rf"\+CIPSNTPTIME:{local}:\d\d 2016\r\n\r\nOK\r\n")
    module.send("AT+CIPSNTPCFG?")
    module.expect(f"+CIPSNTPCFG:1,{kept}⏎⏎OK⏎")
