"""What the stand-ins have to know about the ESP32: numbers and names of MicroPython's port for it."""

UARTS = 3
REPL_UART = 0
UART_OPTIONS = b" tx rx rts cts txbuf rxbuf timeout timeout_char invert flow "
# UART.RTS and UART.CTS.
FLOW_CONTROL = (1, 2)
# Whether the port takes the memory for what the UART has received from MicroPython's heap.
BUFFER_ON_HEAP = False
BAD_INTERFACE = "invalid WLAN interface identifier"
# Tables for pc.lookup().
WLAN_METHODS = b" active connect disconnect status isconnected config ifconfig ipconfig "

MACHINE = (
    b" reset reset_cause unique_id freq lightsleep deepsleep bootloader"
    b" PWRON_RESET=1 HARD_RESET=2 WDT_RESET=3 DEEPSLEEP_RESET=4 SOFT_RESET=5 "
)
PIN = b" IN=1 OUT=3 OPEN_DRAIN=7 PULL_UP=2 PULL_DOWN=1 "
NETWORK = (
    b" hostname country ipconfig phy_mode"
    b" STA_IF=0 AP_IF=1 STAT_IDLE=1000 STAT_CONNECTING=1001 STAT_GOT_IP=1010 STAT_BEACON_TIMEOUT=200"
    b" STAT_NO_AP_FOUND=201 STAT_WRONG_PASSWORD=202 STAT_ASSOC_FAIL=203 STAT_CONNECT_FAIL=203"
    b" STAT_HANDSHAKE_TIMEOUT=204 STAT_NO_AP_FOUND_W_COMPATIBLE_SECURITY=210"
    b" STAT_NO_AP_FOUND_IN_AUTHMODE_THRESHOLD=211 STAT_NO_AP_FOUND_IN_RSSI_THRESHOLD=212"
    b" MODE_11B=1 MODE_11G=2 MODE_11N=4 MODE_LR=8 AUTH_OPEN=0 AUTH_WEP=1 AUTH_WPA_PSK=2 AUTH_WPA2_PSK=3"
    b" AUTH_WPA_WPA2_PSK=4 AUTH_WPA2_ENTERPRISE=5 AUTH_WPA3_PSK=6 AUTH_WPA2_WPA3_PSK=7 AUTH_WAPI_PSK=8"
    b" AUTH_OWE=9 AUTH_WPA3_ENT_192=10 AUTH_WPA3_EXT_PSK=11 AUTH_WPA3_EXT_PSK_MIXED_MODE=12 AUTH_MAX=17 "
)
WLAN = (
    b" IF_STA=0 IF_AP=1 SEC_OPEN=0 SEC_WEP=1 SEC_WPA=2 SEC_WPA2=3 SEC_WPA_WPA2=4 SEC_WPA2_ENT=5 SEC_WPA3=6"
    b" SEC_WPA2_WPA3=7 SEC_WAPI=8 SEC_OWE=9 PROTOCOL_DEFAULT=7 PROTOCOL_LR=8 PM_NONE=0 PM_PERFORMANCE=1"
    b" PM_POWERSAVE=2 BANDWIDTH_20=1 BANDWIDTH_40=2 "
)

# sysname, nodename and release (None: MicroPython's own) of os.uname().
UNAME = ("esp32", "esp32", None)
