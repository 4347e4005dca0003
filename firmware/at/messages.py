"""Every fixed byte string that goes to the host, in the dialect of ESP-AT 2.x.
Host drivers match these bytes; a second dialect is a second table of these names."""

OK = b"\r\nOK\r\n"
ERROR = b"\r\nERROR\r\n"
READY = b"\r\nready\r\n"
BUSY = b"\r\nbusy p...\r\n"
# A command that has written its own end returns this, so that nothing follows.
NOTHING = b""

PROMPT = b"\r\nOK\r\n\r\n>"
PROMPT_SAVED = b"\r\n>"  # of a passthrough that was saved, at start
QUIT = b"\r\n+QUITT\r\n"
RECEIVED = b"\r\nRecv %d bytes\r\n"
SEND_OK = b"\r\nSEND OK\r\n"
SEND_FAIL = b"\r\nSEND FAIL\r\n"
SEND_CANCELED = b"\r\nSEND Canceled\r\n"
WRITE_OK = b"\r\nWRITE OK\r\n"  # of AT+USERRAM
SEND_CANCELLED = b"\r\nSEND CANCELLED\r\n"  # of AT+CIPSENDL

CONNECT = b"CONNECT\r\n"
CLOSED = b"CLOSED\r\n"
LINK_CONN = b'+LINK_CONN:%d,%d,"%s",%d,"%s",%d,%d\r\n'
ALREADY_CONNECTED = b"ALREADY CONNECTED\r\n"
IPD = b"\r\n+IPD,"

WIFI_CONNECTED = b"WIFI CONNECTED\r\n"
WIFI_GOT_IP = b"WIFI GOT IP\r\n"
WIFI_DISCONNECT = b"WIFI DISCONNECT\r\n"
TIME_UPDATED = b"+TIME_UPDATED\r\n"

ERROR_CODE = b"ERR CODE:0x%08x\r\n"

# Kinds of error: the third byte of the code, 0x01KKDDDD.
E_OTHER = 1
E_NO_END = 2
E_NOT_AT = 3
E_LENGTH = 4
E_TYPE = 5
E_COUNT = 6
E_RANGE = 7
E_PARSE = 8
E_UNKNOWN = 9
E_FAILED = 10
E_BUSY = 11
E_NO_FORM = 12


class ATError(Exception):
    """Ends a command with ERROR; `kind` is one of E_*, `detail` its 16 bits (the index of a parameter, say)."""

    def __init__(self, kind=E_FAILED, detail=0):
        super().__init__(kind)
        self.code = 0x01000000 | kind << 16 | detail & 0xFFFF
