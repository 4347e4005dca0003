"""The names of the commands in the manual of ESP-AT: chapters at tag v2.3.0.0_esp8266, and what later versions added.
Only what the firmware does not declare is told from here: what the tables in the docs list as not there, and why."""

_NAMES = """
basic: AT ATE0 ATE1 RST GMR CMD GSLP RESTORE UART_CUR UART_DEF SLEEP SYSRAM SYSMSG SYSFLASH FS RFPOWER SYSROLLBACK
basic: SYSTIMESTAMP SYSLOG SLEEPWKCFG SYSSTORE SYSREG SYSTEMP SYSMFG SYSMSGFILTER SYSMSGFILTERCFG USEROTA
basic: RFCAL FSMOUNT
wifi: CWMODE CWSTATE CWJAP CWRECONNCFG CWLAPOPT CWLAP CWQAP CWSAP CWLIF CWQIF CWDHCP CWDHCPS CWAUTOCONN
wifi: CWAPPROTO CWSTAPROTO CIPSTAMAC CIPAPMAC CIPSTA CIPAP CWSTARTSMART CWSTOPSMART WPS CWJEAP CWHOSTNAME
wifi: CWCOUNTRY CWINIT CWCONFIG CWBANDWIDTH CWBANDMODE
tcpip: CIPV6 CIPSTATE CIPSTATUS CIPDOMAIN CIPSTART CIPSTARTEX CIPSEND CIPSENDL CIPSENDLCFG CIPSENDEX CIPCLOSE
tcpip: CIFSR CIPMUX CIPSERVER CIPSERVERMAXCONN CIPMODE TRANSINTVL SAVETRANSLINK CIPSTO CIPSNTPCFG CIPSNTPTIME
tcpip: CIPSNTPINTV CIPFWVER CIUPDATE CIPDINFO CIPSSLCCONF CIPSSLCCIPHER CIPSSLCCN CIPSSLCSNI CIPSSLCALPN
tcpip: CIPSSLCPSK CIPSSLCPSKHEX CIPRECONNINTV CIPRECVMODE CIPRECVTYPE CIPRECVDATA CIPRECVLEN PING CIPDNS MDNS
tcpip: CIPTCPOPT CIPCONNPERSIST
user: USERRAM USERWKMCUCFG USERMCUSLEEP USERDOCS
"""

# Why a command is not there and will not be, as long as MicroPython's ports are what they are.
REASONS = {
    "RFCAL": "No port lets a program calibrate the radio.",
    "CWSTARTSMART": "No port of MicroPython lets a program listen to what SmartConfig sends.",
    "CWSTOPSMART": "See `CWSTARTSMART`.",
    "WPS": "No port has WPS.",
    "CWJEAP": "No port can join a network of WPA2 Enterprise.",
    "CWDHCPS": "No port can set the range and the lease time of the softAP's DHCP server.",
    "CWCOUNTRY": "`network.country()` remembers a country, but neither port tells its radio of it.",
    "CWCONFIG": "No port can set these times.",
    "CWBANDMODE": "The manual has it for the ESP32-C5 alone; the radios of these chips have one band.",
}

# Of the chapters that are not there: the names that the docs speak of, or how they begin.
OTHER_CHAPTERS = {"BLE", "BT", "BLUFI", "DRV", "WEBSERVER"}

TITLES = {"basic": "Basic", "wifi": "Wi-Fi", "tcpip": "TCP/IP", "user": "User"}


def names(chapter):
    """The names in one chapter, in the manual's order, without "AT+"."""
    return [
        name for line in _NAMES.strip().splitlines() for name in line.split(": ")[1].split() if line.startswith(chapter)
    ]
