"""The time: the clock of the module, its zones, and SNTP servers on loopback that answer, lie, refuse or say nothing.
What is set is checked to lie no more than the time of the test itself behind the clock."""

import datetime
import time

import pytest
from module import LIMIT
from nameserver import NO_SUCH_NAME, A, NameServer, address
from timeserver import TimeServer, seconds

MOMENT = seconds(2021, 10, 19, 9, 47, 56)
DEFAULTS = '"cn.ntp.org.cn","ntp.sjtu.edu.cn","us.pool.ntp.org"'


@pytest.fixture
def server():
    server = TimeServer()
    yield server
    server.close()


@pytest.fixture(params=["esp32", "esp8266"])
def module(start, server, tmp_path, request):
    """A module of each kind whose network has the test's SNTP port; it has joined none yet."""
    return start("--wifi", server.access_points(tmp_path), "--board", request.param)


@pytest.fixture
def online(start, server, tmp_path):
    return start("--wifi", server.access_points(tmp_path)).join()


def shows(module, moment):
    """The module's clock shows this moment, in local time, or one soon after it; in asctime's form, to the byte."""
    module.send("AT+CIPSNTPTIME?")
    text = module.match(r"\+CIPSNTPTIME:([^\r]*)\r\n\r\nOK\r\n")[1].decode()
    start = datetime.datetime(1970, 1, 1) + datetime.timedelta(seconds=moment)
    wanted = [(start + datetime.timedelta(seconds=late)).ctime() for late in range(LIMIT)]
    assert text in wanted, f"{text} instead of {wanted[0]}"


def stamp(module):
    """What AT+SYSTIMESTAMP? tells."""
    module.send("AT+SYSTIMESTAMP?")
    return int(module.match(r"\+SYSTIMESTAMP:(-?\d+)\r\n\r\nOK\r\n")[1])


def synchronise(module, server, moment=MOMENT, **more):
    server.asked()
    server.answer(moment, **more)
    module.expect("+TIME_UPDATED⏎")


def test_before_any_time(module):
    shows(module, 0)
    assert stamp(module) < LIMIT
    module.command("AT+CIPSNTPCFG=0,8")
    shows(module, 8 * 3600)
    # The zone's local time may be in 1969.
    module.command("AT+CIPSNTPCFG=0,-330")
    shows(module, -(3 * 60 + 30) * 60)
    assert stamp(module) < LIMIT


def test_example_of_the_manual(module, server):
    module.join()
    module.command(f'AT+CIPSNTPCFG=1,8,"{server.ip}"')
    synchronise(module, server)
    shows(module, seconds(2021, 10, 19, 17, 47, 56))
    module.command(f'AT+CIPSNTPCFG=1,530,"{server.ip}"')
    synchronise(module, server)
    shows(module, seconds(2021, 10, 19, 15, 17, 56))
    assert 0 <= stamp(module) - MOMENT < LIMIT
    module.settled()


def test_query(online):
    for line, answer in (
        (None, "0,0"),
        ("1,8", f"1,8,{DEFAULTS}"),
        ('1,8,"cn.ntp.org.cn","ntp.sjtu.edu.cn"', '1,8,"cn.ntp.org.cn","ntp.sjtu.edu.cn"'),
        ('1,800,,"b.example"', '1,8,"b.example"'),
        ('1,-5,"a.example","b.example","c.example"', '1,-5,"a.example","b.example","c.example"'),
        # The zone may be left out, and then stays.
        ("1", f"1,-5,{DEFAULTS}"),
        ("0", "0,-5"),
        # Whole hours only, as the manual has it.
        ("0,015", "0,0"),
        ("0,-30", "0,0"),
        ("0,1245", "0,12"),
        ("0,-930", "0,-9"),
    ):
        if line:
            online.command(f"AT+CIPSNTPCFG={line}")
        online.send("AT+CIPSNTPCFG?")
        online.expect(f"+CIPSNTPCFG:{answer}⏎⏎OK⏎")


@pytest.mark.parametrize(
    "zone, minutes",
    [
        ("0", 0),
        ("14", 840),
        ("-12", -720),
        ("+8", 480),
        ("800", 480),
        ("1245", 765),
        ("-500", -300),
        ("-930", -570),
        ("015", 15),
        ("-45", -45),
        ("1459", 899),
        ("-1259", -779),
    ],
)
def test_zones(online, zone, minutes):
    online.command(f"AT+SYSTIMESTAMP={MOMENT}")
    online.command(f"AT+CIPSNTPCFG=0,{zone}")
    shows(online, MOMENT + minutes * 60)


@pytest.mark.parametrize("zone", ["60", "-99", "860", "1460", "-1260", "1500"])
def test_zones_that_there_are_not(online, zone):
    online.command("AT+CIPSNTPCFG=0,3")
    online.command("AT+SYSLOG=1")
    online.send(f"AT+CIPSNTPCFG=1,{zone}")
    online.expect("ERR CODE:0x01070001⏎⏎ERROR⏎")
    online.send("AT+CIPSNTPCFG?")
    online.expect("+CIPSNTPCFG:0,3⏎⏎OK⏎")


@pytest.mark.parametrize(
    "moment",
    [
        0,
        seconds(1999, 12, 31, 23, 59, 0),
        seconds(2000, 2, 29, 12, 0, 0),
        1565853509,
        2**31,
        seconds(2036, 2, 7, 6, 28, 16),
        seconds(2099, 12, 31, 23, 58, 0),
    ],
)
def test_timestamp(module, moment):
    module.command(f"AT+SYSTIMESTAMP={moment}")
    assert 0 <= stamp(module) - moment < LIMIT
    shows(module, moment)


def test_days_and_months(online):
    for month in range(1, 13):
        for day in (1, 8, 31 if month in (1, 3, 5, 7, 8, 10, 12) else 28):
            moment = seconds(2024, month, day, 1, 2, 3)
            online.command(f"AT+SYSTIMESTAMP={moment}")
            shows(online, moment)


def test_time_over_a_restart(module):
    """The chip's clock goes on; what else was set is gone. Without power the clock stops."""
    module.command(f"AT+SYSTIMESTAMP={MOMENT}")
    module.command("AT+CIPSNTPCFG=1,8")
    module.command("AT+CIPSNTPINTV=60")
    module.send("AT+RST")
    module.expect("⏎OK⏎⏎ready⏎")
    module.send("ATE0")
    module.expect("ATE0⏎⏎OK⏎")
    shows(module, MOMENT)
    module.send("AT+CIPSNTPCFG?")
    module.expect("+CIPSNTPCFG:0,0⏎⏎OK⏎")
    module.send("AT+CIPSNTPINTV?")
    module.expect("+CIPSNTPINTV:3600⏎⏎OK⏎")
    assert module.control("power cycle") == "ok"
    module.expect("⏎ready⏎")
    module.send("ATE0")
    module.expect("ATE0⏎⏎OK⏎")
    shows(module, 0)


def test_configured_before_joining(module, server):
    module.command(f'AT+CIPSNTPCFG=1,0,"{server.ip}"')
    assert server.idle()
    module.join()
    synchronise(module, server)
    shows(module, MOMENT)


def test_network_comes_back(online, server):
    """The first question went unanswered, and the network went; the next does not wait for the pause to end."""
    online.command(f'AT+CIPSNTPCFG=1,0,"{server.ip}"')
    server.asked()
    assert online.control("ap down mpy-at") == "ok"
    online.expect("WIFI DISCONNECT⏎")
    assert online.control("ap up mpy-at") == "ok"
    online.expect("WIFI CONNECTED⏎WIFI GOT IP⏎")
    synchronise(online, server)


def test_rejoining_with_the_time_known_asks_nobody(online, server):
    online.command(f'AT+CIPSNTPCFG=1,0,"{server.ip}"')
    synchronise(online, server)
    online.send("AT+CWQAP")
    online.expect("⏎OK⏎WIFI DISCONNECT⏎")
    online.join()
    online.settled()
    assert server.idle()


def test_switched_off(online, server):
    online.command(f'AT+CIPSNTPCFG=1,0,"{server.ip}"')
    server.asked()
    online.command("AT+CIPSNTPCFG=0")
    server.answer(MOMENT)
    online.settled()
    shows(online, 0)


def test_first_server_dead_second_silent(online, server):
    """Of three servers one has its port closed, one says nothing, one answers."""
    silent = TimeServer("127.0.0.3", server.port)
    online.command(f'AT+CIPSNTPCFG=1,0,"127.0.0.2","{silent.ip}","{server.ip}"')
    silent.asked()
    synchronise(online, server)
    shows(online, MOMENT)
    silent.close()


def test_names(start, server, tmp_path):
    """Servers are resolved each time; one that has no address is passed over."""
    names = NameServer()
    module = start("--wifi", server.access_points(tmp_path, f'dns = "127.0.0.1:{names.port}"\n')).join()
    module.command("AT+CIPSNTPCFG=1,0")
    assert names.asked() == "cn.ntp.org.cn"
    names.answer(code=NO_SUCH_NAME)
    assert names.asked() == "ntp.sjtu.edu.cn"
    names.answer((None, A, address(server.ip)))
    synchronise(module, server)
    shows(module, MOMENT)
    names.close()


def test_replies_that_are_ignored(online, server):
    """From another address or port, with a wrong origin, not a server's, cut off, empty: the right one still counts."""
    false = seconds(2001, 1, 1, 0, 0, 0)
    others = [TimeServer("127.0.0.2", server.port), TimeServer()]
    online.command(f'AT+CIPSNTPCFG=1,0,"{server.ip}"')
    server.asked()
    for other in others:
        other.question, other.client = server.question, server.client
        other.answer(false)
    server.answer(false, origin=bytes(8))
    server.answer(false, origin=bytes(byte ^ 1 for byte in server.question[40:]))
    server.answer(false, mode=3)
    server.answer(false, mode=5)
    server.send(b"")
    server.send(server.question)
    server.send(b"\x24\2" + bytes(22) + server.question[40:] + bytes(15))
    server.answer(MOMENT)
    online.expect("+TIME_UPDATED⏎")
    shows(online, MOMENT)
    for other in others:
        other.close()


@pytest.mark.parametrize(
    "fault",
    [
        {"stratum": 0, "reference": b"DENY"},
        {"stratum": 0, "reference": b"RATE"},
        {"stratum": 0, "reference": b"INIT"},
        {"stratum": 16},
        {"leap": 3},
        # 1968 is what the 32 bits say at the least, and no time of ours.
        {"moment": seconds(1968, 1, 21, 0, 0, 0)},
        {"moment": seconds(2100, 1, 1, 0, 0, 0)},
    ],
    ids=str,
)
def test_servers_that_have_no_time(online, server, fault):
    """The next one is asked."""
    second = TimeServer("127.0.0.2", server.port)
    online.command(f'AT+CIPSNTPCFG=1,0,"{server.ip}","{second.ip}"')
    server.asked()
    server.answer(**{"moment": MOMENT + 86400, **fault})
    synchronise(online, second)
    shows(online, MOMENT)
    second.close()


@pytest.mark.parametrize(
    "date",
    [(2036, 2, 7, 6, 28, 10), (2036, 2, 7, 6, 28, 16), (2038, 1, 19, 3, 14, 8), (2099, 12, 31, 23, 58, 0)],
)
def test_after_2036(module, server, date):
    """The 32 bits of SNTP run over on 7 February 2036, those of Unix on 19 January 2038."""
    module.join()
    module.command(f'AT+CIPSNTPCFG=1,0,"{server.ip}"')
    synchronise(module, server, seconds(*date))
    shows(module, seconds(*date))


def test_fraction_of_a_second(module, server):
    """It is not cut off: the chip's clock gets it in its own unit, milliseconds or microseconds."""
    module.join()
    for _ in range(10):
        module.command(f'AT+CIPSNTPCFG=1,0,"{server.ip}"')
        server.asked()
        began = time.monotonic()
        server.answer(MOMENT - 1, fraction=0.9)
        module.expect("+TIME_UPDATED⏎")
        while stamp(module) < MOMENT:
            pass
        # Without the fraction a whole second would have gone by; a loaded machine may need another attempt.
        if time.monotonic() - began < 0.5:
            return
    pytest.fail("the next second never came before its time")


def test_interval(online, server):
    """The clock is set anew after the interval, but reported only once; a failure between does no harm."""
    online.command("AT+CIPSNTPINTV=15")
    online.send("AT+CIPSNTPINTV?")
    online.expect("+CIPSNTPINTV:15⏎⏎OK⏎")
    online.command(f'AT+CIPSNTPCFG=1,0,"{server.ip}"')
    synchronise(online, server)
    server.asked()
    server.answer(MOMENT + 86400)
    online.settled()
    shows(online, MOMENT + 86400)
    online.settled()


def test_everything_else_goes_on(online, server):
    """While a server is waited for, commands are answered at once, and none is refused as busy."""
    online.command(f'AT+CIPSNTPCFG=1,0,"{server.ip}"')
    server.asked()
    for _ in range(20):
        online.command("AT")
    server.answer(MOMENT)
    online.expect("+TIME_UPDATED⏎")


def test_forms_and_limits(play):
    play("""
        > AT+CIPSNTPCFG=?
        ~ \\+CIPSNTPCFG:<enable>\\(0-1\\),.*⏎⏎OK⏎
        > AT+CIPSNTPINTV=14
        < ⏎ERROR⏎
        > AT+CIPSNTPINTV=4294968
        < ⏎ERROR⏎
        > AT+CIPSNTPINTV=4294967
        < ⏎OK⏎
        > AT+CIPSNTPINTV?
        < +CIPSNTPINTV:4294967⏎⏎OK⏎
        > AT+CIPSNTPTIME
        < ⏎ERROR⏎
        > AT+CIPSNTPTIME=1
        < ⏎ERROR⏎
        > AT+CIPSNTPCFG=2,8
        < ⏎ERROR⏎
        > AT+CIPSNTPCFG=1,8,"a","b","c","d"
        < ⏎ERROR⏎
        > AT+SYSTIMESTAMP=-1
        < ⏎ERROR⏎
        > AT+SYSTIMESTAMP=4102444800
        < ⏎ERROR⏎
        > AT+SYSTIMESTAMP=4102444799
        < ⏎OK⏎
    """)
