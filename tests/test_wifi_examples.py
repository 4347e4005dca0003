"""Each example of the manual's Wi-Fi chapter, in the manual's order, as it stands there, on both chips.
What no port of MicroPython can do is an ERROR, here as in the tables of the docs."""

import pytest
from transcript import play as play_transcript

BOARDS = pytest.mark.parametrize("board", ["esp32", "esp8266"])

# The access points of the examples; one more of the same name where the manual has several.
NETWORKS = """
[[ap]]
ssid = "abc"
password = "0123456789"
bssid = "ca:d7:19:d8:a6:40"
channel = 1
rssi = -30
[[ap]]
ssid = "abc"
password = "0123456789"
bssid = "ca:d7:19:d8:a6:44"
channel = 6
[[ap]]
ssid = 'ab\\,c'
password = '0123456789"\\'
[[ap]]
ssid = "Wi-Fi"
password = "0123456789"
bssid = "ca:d7:19:d8:a6:46"
rssi = -55
[[ap]]
ssid = "cafe"
bssid = "ca:d7:19:d8:a6:47"
rssi = -60
"""

EXAMPLES = {
    "CWINIT": """
        > AT+CWINIT=0
        < ⏎ERROR⏎
    """,
    "CWMODE": """
        > AT+CWMODE=3
        < ⏎OK⏎
    """,
    "CWJAP": r"""
        > AT+CWJAP="abc","0123456789"
        < WIFI CONNECTED⏎WIFI GOT IP⏎⏎OK⏎
        > AT+CWJAP="ab\\\,c","0123456789\"\\"
        < WIFI DISCONNECT⏎WIFI CONNECTED⏎WIFI GOT IP⏎⏎OK⏎
        > AT+CWSTATE?
        < +CWSTATE:2,"ab\,c"⏎⏎OK⏎
        > AT+CWJAP="abc","0123456789","ca:d7:19:d8:a6:44"
        < WIFI DISCONNECT⏎WIFI CONNECTED⏎WIFI GOT IP⏎⏎OK⏎
        > AT+CWJAP?
        < +CWJAP:"abc","ca:d7:19:d8:a6:44",6,-40,0,1,3,0,0⏎⏎OK⏎
        > AT+CWJAP="abc","0123456789",,,,,,,3
        < WIFI DISCONNECT⏎WIFI CONNECTED⏎WIFI GOT IP⏎⏎OK⏎
    """,
    "CWRECONNCFG": """
        > AT+CWRECONNCFG=1,100
        < ⏎OK⏎
        > AT+CWRECONNCFG=0,0
        < ⏎OK⏎
        > AT+CWRECONNCFG=2,50,1
        < ⏎OK⏎
        > AT+CWRECONNCFG?
        < +CWRECONNCFG:2,50⏎⏎OK⏎
    """,
    "CWLAPOPT": r"""
        > AT+CWLAPOPT=1,31
        < ⏎OK⏎
        > AT+CWLAP
        < +CWLAP:(3,"abc",-30,"ca:d7:19:d8:a6:40",1)⏎
        ~ \+CWLAP:\(3,"ab[^⏎]*⏎\+CWLAP:\(3,"ab[^⏎]*⏎
        < +CWLAP:(3,"Wi-Fi",-55,"ca:d7:19:d8:a6:46",6)⏎+CWLAP:(0,"cafe",-60,"ca:d7:19:d8:a6:47",6)⏎⏎OK⏎
        > AT+CWLAPOPT=1,31,-100,1
        < ⏎OK⏎
        > AT+CWLAP
        < +CWLAP:(0,"cafe",-60,"ca:d7:19:d8:a6:47",6)⏎⏎OK⏎
        > AT+CWLAPOPT=,31
        < ⏎OK⏎
        > AT+CWLAPOPT=,31,-100,1
        < ⏎OK⏎
    """,
    "CWLAP": """
        > AT+CWLAP="Wi-Fi","ca:d7:19:d8:a6:46",6,0,400,1000
        < +CWLAP:(3,"Wi-Fi",-55,"ca:d7:19:d8:a6:46",6,-1,-1,7,7,0,0)⏎⏎OK⏎
        > AT+CWLAP="Wi-Fi"
        < +CWLAP:(3,"Wi-Fi",-55,"ca:d7:19:d8:a6:46",6,-1,-1,7,7,0,0)⏎⏎OK⏎
    """,
    "CWSAP": """
        > AT+CWMODE=2
        < ⏎OK⏎
        > AT+CWSAP="ESP","1234567890",5,3
        < ⏎OK⏎
        > AT+CWSAP?
        < +CWSAP:"ESP","1234567890",5,3,4,0⏎⏎OK⏎
    """,
    "CWDHCP": """
        > AT+CWDHCP=1,1
        < ⏎OK⏎
        > AT+CWDHCP=0,2
        < ⏎ERROR⏎
        > AT+CWDHCP?
        < +CWDHCP:3⏎⏎OK⏎
    """,
    "CWDHCPS": """
        > AT+CWDHCPS=1,3,"192.168.4.10","192.168.4.15"
        < ⏎ERROR⏎
        > AT+CWDHCPS=0
        < ⏎ERROR⏎
    """,
    "CWAUTOCONN": """
        > AT+CWAUTOCONN=1
        < ⏎OK⏎
    """,
    "CIPSTAMAC": """
        > AT+CIPSTAMAC="1a:fe:35:98:d3:7b"
        < ⏎OK⏎
        > AT+CIPSTAMAC?
        < +CIPSTAMAC:"1a:fe:35:98:d3:7b"⏎⏎OK⏎
    """,
    "CIPAPMAC": """
        > AT+CWMODE=2
        < ⏎OK⏎
        > AT+CIPAPMAC="18:fe:35:98:d3:7b"
        < ⏎OK⏎
        > AT+CIPAPMAC?
        < +CIPAPMAC:"18:fe:35:98:d3:7b"⏎⏎OK⏎
    """,
    "CIPSTA": """
        > AT+CIPSTA="192.168.6.100","192.168.6.1","255.255.255.0"
        < ⏎OK⏎
        > AT+CIPSTA?
        < +CIPSTA:ip:"192.168.6.100"⏎+CIPSTA:gateway:"192.168.6.1"⏎+CIPSTA:netmask:"255.255.255.0"⏎⏎OK⏎
    """,
    "CIPAP": """
        > AT+CWMODE=3
        < ⏎OK⏎
        > AT+CIPAP="192.168.5.1","192.168.5.1","255.255.255.0"
        < ⏎OK⏎
        > AT+CIPAP?
        < +CIPAP:ip:"192.168.5.1"⏎+CIPAP:gateway:"192.168.5.1"⏎+CIPAP:netmask:"255.255.255.0"⏎⏎OK⏎
    """,
    "CWSTARTSMART": """
        > AT+CWMODE=1
        < ⏎OK⏎
        > AT+CWSTARTSMART
        < ⏎ERROR⏎
        > AT+CWSTOPSMART
        < ⏎ERROR⏎
    """,
    "WPS": """
        > AT+CWMODE=1
        < ⏎OK⏎
        > AT+WPS=1
        < ⏎ERROR⏎
    """,
    "CWJEAP": """
        > AT+CWJEAP="dlink11111",0,"example@espressif.com",,,3
        < ⏎ERROR⏎
        > AT+CWJEAP="dlink11111",1,"example@espressif.com","espressif","test11",0
        < ⏎ERROR⏎
    """,
    "CWHOSTNAME": """
        > AT+CWMODE=3
        < ⏎OK⏎
        > AT+CWHOSTNAME="my_test"
        < ⏎OK⏎
        > AT+CWHOSTNAME?
        < +CWHOSTNAME:my_test⏎⏎OK⏎
    """,
    "CWCOUNTRY": """
        > AT+CWMODE=3
        < ⏎OK⏎
        > AT+CWCOUNTRY=1,"CN",1,13
        < ⏎ERROR⏎
    """,
}


@BOARDS
@pytest.mark.parametrize("command", EXAMPLES)
def test_example(start, board, command):
    play_transcript(start("--board", board, wifi=NETWORKS), EXAMPLES[command])
