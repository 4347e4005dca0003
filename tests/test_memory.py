"""The memory is taken away in the middle: with so many bytes left, and each time some more, a line still has one final
result, what it sets is as before or as it says, and what follows works. Usually a sample of that; --every-allocation
tries all."""

import re
import select

import pytest
from clients import Client, Door
from declared import valid
from lean import RESULT, each, lean, linked, peer
from module import LIMIT
from mpyat import catalog

COMMANDS = [command for command in catalog.load() if command.board != "esp32"]
# These restart the module, put it to sleep, or give its port away; the others may ask for data.
LEFT_OUT = {"RST", "RESTORE", "GSLP", "SLEEP", "MPYREPL"}
PROMPTED = re.compile(r"AT\+(CIPSEND|SYSMFG=2|SYSMSGFILTERCFG|USEROTA)")

# A line that sets something, the line that sets it back, and the line that tells what holds; what comes first.
SETTINGS = (
    ("AT+SYSLOG=0", "AT+SYSLOG=1", "AT+SYSLOG?"),
    ("AT+SYSSTORE=0", "AT+SYSSTORE=1", "AT+SYSSTORE?"),
    ("AT+SYSMSG=2", "AT+SYSMSG=0", "AT+SYSMSG?"),
    ("AT+SYSMSGFILTER=1", "AT+SYSMSGFILTER=0", "AT+SYSMSGFILTER?"),
    ("AT+UART_CUR=9600,8,1,0,0", "AT+UART_CUR=115200,8,1,0,0", "AT+UART_CUR?"),
    ("AT+UART_DEF=9600,8,1,0,0", "AT+UART_DEF=115200,8,1,0,0", "AT+UART_DEF?"),
    ("AT+CWMODE=3", "AT+CWMODE=1", "AT+CWMODE?"),
    ("AT+CWMODE_DEF=3", "AT+CWMODE=1", "AT+CWMODE?"),
    ('AT+CWSAP="other","12345678",5,3', 'AT+CWSAP="own","",1,0', "AT+CWSAP?", "AT+CWMODE=3"),
    ('AT+CIPAP="192.168.9.1"', 'AT+CIPAP="192.168.4.1"', "AT+CIPAP?", "AT+CWMODE=3"),
    ("AT+CWRECONNCFG=5,7", "AT+CWRECONNCFG=1,0", "AT+CWRECONNCFG?"),
    ("AT+CWAUTOCONN=0", "AT+CWAUTOCONN=1", "AT+CWAUTOCONN?"),
    ('AT+CWHOSTNAME="other"', 'AT+CWHOSTNAME="own"', "AT+CWHOSTNAME?"),
    ('AT+CIPSTA="127.0.0.1","127.0.0.2","255.0.0.0"', 'AT+CIPSTA="127.0.0.1","127.0.0.3","255.0.0.0"', "AT+CIPSTA?"),
    ("AT+CWSTAPROTO=3", "AT+CWSTAPROTO=7", "AT+CWSTAPROTO?"),
    ("AT+CIPMUX=1", "AT+CIPMUX=0", "AT+CIPMUX?"),
    ('AT+CIPDNS=1,"1.2.3.4"', 'AT+CIPDNS=1,"4.3.2.1"', "AT+CIPDNS?"),
    ("AT+CIPRECVMODE=1", "AT+CIPRECVMODE=0", "AT+CIPRECVMODE?"),
    ("AT+CIPRECVTYPE=3,1", "AT+CIPRECVTYPE=3,0", "AT+CIPRECVTYPE?", "AT+CIPMUX=1"),
    ("AT+CIPMODE=1", "AT+CIPMODE=0", "AT+CIPMODE?"),
    ("AT+TRANSINTVL=50", "AT+TRANSINTVL=20", "AT+TRANSINTVL?"),
    ("AT+CIPRECONNINTV=50", "AT+CIPRECONNINTV=1", "AT+CIPRECONNINTV?"),
    ("AT+CIPSERVERMAXCONN=3", "AT+CIPSERVERMAXCONN=5", "AT+CIPSERVERMAXCONN?"),
    ("AT+CIPSERVER=1,{free}", "AT+CIPSERVER=0", "AT+CIPSERVER?", "AT+CIPMUX=1"),
    ("AT+CIPSERVER=0", "AT+CIPSERVER=1,{free}", "AT+CIPSERVER?", "AT+CIPMUX=1"),
    ("AT+CIPSTO=100", "AT+CIPSTO=0", "AT+CIPSTO?"),
    ("AT+CIPTCPOPT=5,-1,1,500", "AT+CIPTCPOPT=5,-1,0,0", "AT+CIPTCPOPT?", "AT+CIPMUX=1"),
    ("AT+CIPCONNPERSIST=1", "AT+CIPCONNPERSIST=0", "AT+CIPCONNPERSIST?"),
    ('AT+CIPSNTPCFG=1,8,"127.0.0.1"', "AT+CIPSNTPCFG=0,0", "AT+CIPSNTPCFG?"),
    ("AT+CIPSNTPINTV=100", "AT+CIPSNTPINTV=3600", "AT+CIPSNTPINTV?"),
    ("AT+CIPSSLCCONF=1", "AT+CIPSSLCCONF=0", "AT+CIPSSLCCONF?"),
    ('AT+CIPSSLCSNI="other"', 'AT+CIPSSLCSNI="own"', "AT+CIPSSLCSNI?"),
    ('AT+CIPSSLCCN="other"', 'AT+CIPSSLCCN="own"', "AT+CIPSSLCCN?"),
    ('AT+CIPSTART="TCP","127.0.0.1",{peer}', "AT+CIPCLOSE", "AT+CIPSTATE?"),
    ('AT+CIPSTART="UDP","127.0.0.1",{peer}', "AT+CIPCLOSE", "AT+CIPSTATE?"),
    ('AT+CIPSTART=2,"TCP","localhost",{peer}', "AT+CIPCLOSE=5", "AT+CIPSTATE?", "AT+CIPMUX=1"),
    ("AT+CIPCLOSE=2", 'AT+CIPSTART=2,"TCP","127.0.0.1",{peer}', "AT+CIPSTATE?", "AT+CIPMUX=1"),
    ("AT+CIPCLOSE=5", 'AT+CIPSTART=2,"UDP","127.0.0.1",{peer},0,2', "AT+CIPSTATE?", "AT+CIPMUX=1"),
)
# Lines that set nothing, or nothing that a line tells.
OTHERS = (
    'AT+CIPDOMAIN="localhost"',
    'AT+PING="127.0.0.1"',
    "AT+CWLAPOPT=1,2047",
    "AT+CIPDINFO=0",
    'AT+MDNS=1,"own","_http",80',
    "AT+MDNS=0",
    "AT+SAVETRANSLINK=0",
    "AT+SYSTIMESTAMP=1000000000",
    "AT+CWDHCP=1,1",
    'AT+CWJAP="mpy-at","12345678"',
    "AT+" + "X" * 240,
    "AT+CWSAP=" + ",".join('"a"' * 40),
    "AT" + "A" * 600,
    "AT+CIPSTART=" + "1," * 100,
)


@pytest.mark.parametrize("case", SETTINGS, ids=lambda case: case[0])
def test_settings_hold_or_do_not(lean, peer, case):
    free = Door().port
    line, back, query, *before = (text.format(free=free, peer=peer.port) for text in case)
    for each_before in before:
        lean.must(each_before)
    lean.ask(back)
    old = lean.must(query)
    lean.must(line)
    new = lean.must(query)

    def verify(left, cold):
        lean.ask(back)
        was = lean.must(query)
        answer = lean.attempt(line, left, cold)
        holds = lean.must(query)
        if "CIPSTA" in line and "START" in line:  # the link's own port is another one each time
            assert holds.count(b"CIPSTATE:") == (b"\r\nOK\r\n" in answer), (answer, holds)
        elif "CIPCLOSE" in line:
            assert holds.count(b"CIPSTATE:") == (b"\r\nOK\r\n" not in answer), (answer, holds)
        else:
            assert was == old, (was, old)
            assert holds == (new if b"\r\nOK\r\n" in answer else old), (answer, holds)

    each(lean, line, verify)


def chapter_lines(chapter):
    """The queries, tests, executions and the shortest settings of a chapter's commands."""
    for command in COMMANDS:
        if command.chapter != chapter or command.name in LEFT_OUT:
            continue
        for form in command.forms:
            if form == "set":
                for parameters in command.parameters():
                    line = f"{command.full_name}={','.join(valid(parameter) for parameter in parameters)}"
                    if not PROMPTED.match(line):
                        yield line
            elif command.name != "CWQAP":
                yield command.full_name + {"test": "=?", "query": "?", "execute": ""}[form]


@pytest.mark.parametrize("chapter", catalog.CHAPTERS)
def test_every_command(lean, chapter):
    for line in chapter_lines(chapter):

        def verify(left, cold, line=line):
            lean.attempt(line, left, cold)
            lean.must("AT+CWSTATE?")

        each(lean, line, verify)
    lean.must("ATE0")


@pytest.mark.parametrize("line", ("AT\\xdeX", "X", "AT+CIPSTART", "AT+CIPSTART=x", "AT" + "X" * 300))
def test_what_follows_a_command_that_answers_by_itself(joined, peer, line):
    """Also a line that is no command at all."""
    joined.send(f'AT+CIPSTART="TCP","127.0.0.1",{peer.port}')
    joined.expect("CONNECT⏎⏎OK⏎")
    joined.send(line)
    joined.expect("⏎ERROR⏎")
    joined.send("AT+UART_CUR=115200,8,1,0,0")
    joined.expect("⏎OK⏎")
    joined.send(line)
    joined.expect("⏎ERROR⏎")
    joined.settled()


def test_other_lines(lean):
    for line in OTHERS:

        def verify(left, cold, line=line):
            lean.attempt(line, left, cold)

        each(lean, line, verify)


def test_data_are_sent_or_not(linked, peer):
    """Whole, and as the result says; what is sent later is not mixed with it."""
    module = linked.module

    def verify(left, cold):
        linked.take(left, cold)
        module.write(b"AT+CIPSEND=5\r\n")
        answer = module.match(rb".*?(\r\n>|\r\nERROR\r\n)")[0]
        if answer.endswith(b">"):
            module.write(b"hello")
            answer = module.match(b".*?" + RESULT)[0]
        linked.give()
        linked.worked = answer.endswith(b"SEND OK\r\n")
        if linked.worked:
            assert peer.get(5) == b"hello"
        module.send("AT+CIPSEND=2")
        module.match(r"\r\nOK\r\n\r\n>")
        module.write(b"ok")
        module.match(r".*?\r\nSEND OK\r\n")
        assert peer.get(2) == b"ok"

    each(linked, "AT+CIPSEND=5", verify)


@pytest.mark.parametrize("detail", (0, 1))
def test_data_that_come_are_told(linked, peer, detail):
    """Each byte once, whether there was memory when it came or not; with CIPDINFO=1 the text in front takes some."""
    linked.must(f"AT+CIPDINFO={detail}")
    head = b"\r\n+IPD,300" + (b',"127.0.0.1",%d:' % peer.port if detail else b":")

    def verify(left, cold):
        linked.take(left, cold)
        peer.send(b"0123456789" * 30)
        said = linked.ask("AT") + linked.give()
        if b"+IPD" not in said:
            said += linked.module.match(rb".*?\+IPD,[^:]*:(0123456789){30}")[0]
        assert re.sub(rb"(ERR CODE:0x\w+\r\n)?\r\n(OK|ERROR)\r\n", b"", said) == head + b"0123456789" * 30
        linked.worked = True

    each(linked, "+IPD", verify)


def test_an_end_is_told(lean, peer):
    """Once, and the link is free again."""

    def verify(left, cold):
        lean.must(f'AT+CIPSTART="TCP","127.0.0.1",{peer.port}')
        peer.accept()
        lean.take(left, cold)
        peer.sock.close()
        said = lean.ask("AT") + lean.give()
        if b"CLOSED" not in said:
            said += lean.module.match(rb".*?CLOSED\r\n")[0]
        assert said.count(b"CLOSED\r\n") == 1
        assert b"+CIPSTATE" not in lean.must("AT+CIPSTATE?")
        lean.worked = True

    each(lean, "CLOSED", verify)


def test_clients_are_served_or_sent_away(lean):
    """The server goes on in any case."""
    lean.must("AT+CIPMUX=1")
    port = Door().port
    lean.must(f"AT+CIPSERVER=1,{port}")

    def verify(left, cold):
        lean.take(left, cold)
        client = Client(port)
        served = b"0,CONNECT\r\n" in lean.ask("AT") + lean.give()
        if not served and lean.module.fd in select.select([lean.module.fd, client.sock], [], [], LIMIT)[0]:
            # It has waited until there was memory for it.
            lean.module.expect("0,CONNECT⏎")
            served = True
        held = lean.must("AT+CIPSTATE?")
        if served:
            assert b"+CIPSTATE:0" in held
            client.send(b"hello")
            lean.module.match(rb".*?\+IPD,0,5:hello")
            lean.must("AT+CIPCLOSE=0")
        else:
            assert b"+CIPSTATE" not in held
        client.ended()
        client.close()
        lean.worked = served

    each(lean, "CONNECT", verify)
