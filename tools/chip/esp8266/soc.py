"""What the stand-ins have to know about the ESP8266: numbers and names of MicroPython's port for it."""

UARTS = 2
# The port sets no limits to the UART that the REPL uses.
REPL_UART = -1
UART_OPTIONS = b" tx rx rxbuf timeout timeout_char "
# The port has no UART.RTS and UART.CTS.
FLOW_CONTROL = None
# Whether the port takes the memory for what the UART has received from MicroPython's heap.
BUFFER_ON_HEAP = True
BAD_INTERFACE = ""
# Tables for pc.lookup().
WLAN_METHODS = b" active connect disconnect status isconnected config ifconfig ipconfig "

MACHINE = (
    b" reset reset_cause unique_id freq lightsleep deepsleep"
    b" PWRON_RESET=0 WDT_RESET=1 SOFT_RESET=4 DEEPSLEEP_RESET=5 HARD_RESET=6 DEEPSLEEP=4 "
)
PIN = b" IN=0 OUT=1 OPEN_DRAIN=2 PULL_UP=1 "
NETWORK = (
    b" hostname country ipconfig phy_mode"
    b" STA_IF=0 AP_IF=1 STAT_IDLE=0 STAT_CONNECTING=1 STAT_WRONG_PASSWORD=2 STAT_NO_AP_FOUND=3"
    b" STAT_CONNECT_FAIL=4 STAT_GOT_IP=5 MODE_11B=1 MODE_11G=2 MODE_11N=3 AUTH_OPEN=0 AUTH_WEP=1"
    b" AUTH_WPA_PSK=2 AUTH_WPA2_PSK=3 AUTH_WPA_WPA2_PSK=4 "
)
WLAN = (
    b" IF_STA=0 IF_AP=1 SEC_OPEN=0 SEC_WEP=1 SEC_WPA=2 SEC_WPA2=3 SEC_WPA_WPA2=4"
    b" PM_NONE=0 PM_PERFORMANCE=2 PM_POWERSAVE=1 "
)

# sysname, nodename and release (that of the vendor's SDK) of os.uname().
UNAME = ("esp8266", "esp8266", "2.2.0-dev(9422289)")
