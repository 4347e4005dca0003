"""AT+X_DEF? tells what is saved, and AT+X_CUR? what is in force, for all commands that are saved while AT+SYSSTORE=1.
Each case runs on both boards."""

import pytest
from networks import HOME
from transcript import play

# name: what is saved at first, what is saved then, and what is in force beside it, as it is set and shown.
VALUES = {
    "CWMODE": ("1", "3", "3"),
    "SYSMSG": ("0", "2", "4"),
    "CIPRECONNINTV": ("1", "20", "30"),
    "CIPDNS": ("0", '1,"10.0.0.1"', '1,"10.0.0.2","10.0.0.3"'),
    "CWRECONNCFG": ("1,0", "5,10", "7,0"),
    "CWSTAPROTO": ("7", "3", "1"),
    "CIPSTAMAC": (None, '"1a:fe:34:00:00:01"', '"1a:fe:34:00:00:02"'),
    "CWSAP": (None, '"saved","12345678",3,3,4,1', '"other","87654321",5,3,4,0'),
    "CIPAPMAC": (None, '"1a:fe:34:00:00:03"', '"1a:fe:34:00:00:04"'),
}
ESP32 = {"CWAPPROTO": ("7", "3", "1")}
MORE = {
    "CIPTCPOPT": (None, "-1,1,0", "5,1,9"),
    "CIPSSLCCONF": (None, "1,1", "1"),
    "CIPAP": (None, '"10.0.0.1"', '"10.0.1.1"'),
    "CIPSTA": (None, '"10.0.2.9"', '"10.0.3.9"'),
}
RESTART = "> AT+RST\n < ⏎OK⏎⏎ready⏎\n > ATE0\n < ATE0⏎⏎OK⏎\n"


def asks(name, ending, shown):
    return f"> AT+{name}{ending}?\n< +{name}{ending}:{shown}⏎⏎OK⏎\n"


@pytest.fixture
def module(start, board):
    return start("--board", board)


def test_saved_and_in_force(module, board):
    values = VALUES | (ESP32 if board == "esp32" else {})
    text = "".join(asks(name, "_DEF", first) for name, (first, _, _) in values.items() if first)
    for name, (_, saved, now) in values.items():
        text += f"> AT+{name}_DEF={saved}\n< ⏎OK⏎\n> AT+{name}_CUR={now}\n< ⏎OK⏎\n"
        text += asks(name, "_DEF", saved) + asks(name, "_CUR", now) + asks(name, "", now)
    play(module, text)
    # What was in force alone is gone with the power.
    play(
        module,
        RESTART + "".join(asks(name, "_DEF", saved) + asks(name, "", saved) for name, (_, saved, _) in values.items()),
    )


def address(name, *ips):
    return (
        "".join(f'< +{name}:{key}:"{ip}"⏎' + "\n" for key, ip in zip(("ip", "gateway", "netmask"), ips, strict=True))
        + "< ⏎OK⏎\n"
    )


def test_addresses(module):
    mask = "255.255.255.0"
    play(
        module,
        "> AT+CWMODE=3\n< ⏎OK⏎\n> AT+CIPAP_DEF?\n"
        + address("CIPAP_DEF", "192.168.4.1", "192.168.4.1", mask)
        + "> AT+CIPSTA_DEF?\n"
        + address("CIPSTA_DEF", *["0.0.0.0"] * 3)
        + asks("CWDHCP", "_DEF", 3)
        + '> AT+CIPAP_DEF="10.0.0.1"\n< ⏎OK⏎\n> AT+CIPAP_CUR="10.0.1.1"\n< ⏎OK⏎\n'
        + '> AT+CIPSTA_DEF="10.0.2.9","10.0.2.3"\n< ⏎OK⏎\n> AT+CIPSTA_CUR="10.0.3.9"\n< ⏎OK⏎\n'
        + "> AT+CIPAP_DEF?\n"
        + address("CIPAP_DEF", "10.0.0.1", "10.0.0.1", mask)
        + "> AT+CIPAP_CUR?\n"
        + address("CIPAP_CUR", "10.0.1.1", "10.0.1.1", mask)
        + "> AT+CIPSTA_DEF?\n"
        + address("CIPSTA_DEF", "10.0.2.9", "10.0.2.3", mask)
        + "> AT+CIPSTA_CUR?\n"
        + address("CIPSTA_CUR", "10.0.3.9", "10.0.3.1", mask)
        + asks("CWDHCP", "_DEF", 2)
        + "> AT+CWDHCP_CUR=1,1\n< ⏎OK⏎\n"
        + asks("CWDHCP", "_CUR", 3)
        + asks("CWDHCP", "_DEF", 2)
        + '> AT+CWDHCP_DEF=1,1\n< ⏎OK⏎\n> AT+CIPSTA_CUR="10.0.3.9"\n< ⏎OK⏎\n'
        + asks("CWDHCP", "_CUR", 2)
        + asks("CWDHCP", "_DEF", 3),
    )


def test_of_each_link(module, board):
    more = "" if board == "esp8266" else ",9"
    play(
        module,
        f"""
        > AT+CIPTCPOPT_DEF=0,1,250,9
        < ⏎OK⏎
        > AT+CIPTCPOPT_CUR=-1,0,0,0
        < ⏎OK⏎
        > AT+CIPTCPOPT_DEF?
        < +CIPTCPOPT_DEF:0,0,1,250{more}⏎⏎OK⏎
        > AT+CIPTCPOPT_CUR?
        < +CIPTCPOPT_CUR:0,-1,0,0{more and ",0"}⏎⏎OK⏎
        > AT+CIPSSLCCONF_DEF=1,1
        < ⏎OK⏎
        > AT+CIPSSLCCONF_CUR=0
        < ⏎OK⏎
        > AT+CIPSSLCCONF_DEF?
        < +CIPSSLCCONF_DEF:0,1,1,0⏎⏎OK⏎
        > AT+CIPSSLCCONF_CUR?
        < +CIPSSLCCONF_CUR:0,0,0,0⏎⏎OK⏎
        {RESTART}
        > AT+CIPTCPOPT_DEF?
        < +CIPTCPOPT_DEF:0,0,1,250{more}⏎⏎OK⏎
        > AT+CIPTCPOPT?
        < +CIPTCPOPT:0,0,1,250{more}⏎⏎OK⏎
        > AT+CIPSSLCCONF?
        < +CIPSSLCCONF:0,1,1,0⏎⏎OK⏎
        """,
    )


def test_where_nothing_was_saved_it_is_what_a_start_brings(module, board):
    """And not what is in force: of the chip itself no port tells that later."""
    module.command("AT+CWMODE_DEF=3")

    def told(name, ending):
        module.send(f"AT+{name}{ending}?")
        found = module.match(rf"((?:\+{name}{ending}:[^\r]*\r\n)+)\r\nOK\r\n")
        return found[1].replace(f"{name}{ending}:".encode(), b"")

    values = VALUES | (ESP32 if board == "esp32" else {}) | MORE
    del values["CWMODE"]
    before = {name: told(name, "_DEF") for name in values}
    assert before == {name: told(name, "") for name in values}
    for name, (_, one, other) in values.items():
        module.command(f"AT+{name}_CUR={one}")
        module.command(f"AT+{name}_CUR={other}")
        assert told(name, "_DEF") == before[name]
        assert told(name, "_CUR") != before[name]
    assert before == {name: told(name, "_DEF") for name in values}
    play(module, RESTART)
    assert before == {name: told(name, "_DEF") for name in values} == {name: told(name, "") for name in values}


def test_the_name_of_the_softap_goes_with_the_saved_address(module):
    play(
        module,
        f"""
        > AT+CWMODE=3
        < ⏎OK⏎
        > AT+CIPAPMAC_DEF="1a:fe:34:00:00:03"
        < ⏎OK⏎
        > AT+CWSAP_DEF?
        < +CWSAP_DEF:"ESP_000003","",1,0,4,0⏎⏎OK⏎
        > AT+CIPAPMAC_CUR="1a:fe:34:00:00:04"
        < ⏎OK⏎
        > AT+CWSAP_DEF?
        < +CWSAP_DEF:"ESP_000003","",1,0,4,0⏎⏎OK⏎
        {RESTART}
        > AT+CWSAP?
        < +CWSAP:"ESP_000003","",1,0,4,0⏎⏎OK⏎
        """,
    )


def test_the_interval_of_the_saved_network(module):
    """It holds from the start on, unless CWRECONNCFG was saved, or the network is not joined."""
    play(
        module,
        f"""
        > AT+CWJAP_DEF="mpy-at","12345678",,,9
        < WIFI CONNECTED⏎WIFI GOT IP⏎⏎OK⏎
        > AT+CWRECONNCFG_DEF?
        < +CWRECONNCFG_DEF:9,0⏎⏎OK⏎
        > AT+CWRECONNCFG_CUR=3,4
        < ⏎OK⏎
        > AT+CWRECONNCFG_DEF?
        < +CWRECONNCFG_DEF:9,0⏎⏎OK⏎
        > AT+CWAUTOCONN=0
        < ⏎OK⏎
        > AT+CWRECONNCFG_DEF?
        < +CWRECONNCFG_DEF:1,0⏎⏎OK⏎
        {RESTART}
        > AT+CWRECONNCFG?
        < +CWRECONNCFG:1,0⏎⏎OK⏎
        """,
    )


def test_the_bandwidth(start):
    play(
        start(),
        """
        > AT+CWBANDWIDTH_DEF?
        < +CWBANDWIDTH_DEF:0,0,0⏎+CWBANDWIDTH_DEF:1,0,0⏎⏎OK⏎
        > AT+CWBANDWIDTH_DEF=0,1
        < ⏎OK⏎
        > AT+CWBANDWIDTH_CUR=0,2
        < ⏎OK⏎
        > AT+CWBANDWIDTH_DEF?
        < +CWBANDWIDTH_DEF:0,1,0⏎+CWBANDWIDTH_DEF:1,0,0⏎⏎OK⏎
        > AT+CWBANDWIDTH_CUR?
        < +CWBANDWIDTH_CUR:0,2,0⏎⏎OK⏎
        """,
    )


def test_the_network(start, board):
    """The one that is saved is told, also while another one is joined, or none."""
    module = start("--board", board, wifi=HOME + '[[ap]]\nssid = "free"\nbssid = "02:00:00:00:00:03"\n')
    play(
        module,
        """
        > AT+CWJAP_DEF?
        < ⏎OK⏎
        > AT+CWJAP_CUR="free",""
        < WIFI CONNECTED⏎WIFI GOT IP⏎⏎OK⏎
        > AT+CWJAP_DEF?
        < ⏎OK⏎
        > AT+CWJAP_DEF="home","12345678","02:00:00:00:00:01",,9
        < WIFI DISCONNECT⏎WIFI CONNECTED⏎WIFI GOT IP⏎⏎OK⏎
        > AT+CWJAP_DEF?
        < +CWJAP_DEF:"home","02:00:00:00:00:01",6,-40,0,9,3,0,0⏎⏎OK⏎
        > AT+CWJAP_CUR="free",""
        < WIFI DISCONNECT⏎WIFI CONNECTED⏎WIFI GOT IP⏎⏎OK⏎
        > AT+CWJAP_DEF?
        < +CWJAP_DEF:"home","02:00:00:00:00:01",0,0,0,9,3,0,0⏎⏎OK⏎
        > AT+CWJAP_CUR?
        ~ \\+CWJAP_CUR:"free","02:00:00:00:00:03",.*?⏎⏎OK⏎
        > AT+CWQAP
        < ⏎OK⏎WIFI DISCONNECT⏎
        > AT+CWJAP_CUR?
        < ⏎OK⏎
        > AT+CWJAP_DEF?
        < +CWJAP_DEF:"home","02:00:00:00:00:01",0,0,0,9,3,0,0⏎⏎OK⏎
        """,
    )
