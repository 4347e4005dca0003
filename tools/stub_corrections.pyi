"""Where the stubs of MicroPython's ports are wrong, and what the ports' own sources say, which the comments name.
A declaration takes the place of all that the stub has under its name, `del` takes a name away, and `__all__` says which
names there are; a class that has bases here has these. Constants without a value are gone anyway, see stubs.py.

The stubs of what Python has too are those of CPython, but for a few changes. Which of it there is say the tables of
names in MicroPython's sources, with what its level "extra features" switches on, and the ESP8266 switches off."""

class every_board:
    class builtins:
        # py/modbuiltins.c; the last three are mypy's.
        __all__ = (
            "bool bytes bytearray complex dict enumerate filter float frozenset int list map memoryview object"
            " property range reversed set slice str super tuple type zip classmethod staticmethod Ellipsis abs all"
            " any bin callable compile chr delattr dir divmod eval exec execfile getattr setattr globals hasattr"
            " hash help hex id input isinstance issubclass iter len locals max min next oct open ord pow print repr"
            " round sorted sum BaseException ArithmeticError AssertionError AttributeError EOFError Exception"
            " GeneratorExit ImportError IndentationError IndexError KeyboardInterrupt KeyError LookupError"
            " MemoryError NameError NotImplementedError OSError OverflowError RuntimeError StopAsyncIteration"
            " StopIteration SyntaxError SystemExit TypeError UnicodeError ValueError ZeroDivisionError function"
            " ellipsis const"
        )

        # py/objstr.c
        class str:
            __all__ = (
                "count endswith find format index isalpha isdigit islower isspace isupper join lower lstrip"
                " replace rfind rindex rsplit rstrip split startswith strip upper center encode partition"
                " rpartition splitlines"
            )

        class bytes:
            __all__ = (
                "count endswith find index isalpha isdigit islower isspace isupper join lower lstrip replace rfind"
                " rindex rsplit rstrip split startswith strip upper center decode partition rpartition splitlines"
                " hex fromhex"
            )

        class bytearray(object):
            __all__ = (
                "count endswith find index isalpha isdigit islower isspace isupper join lower lstrip replace rfind"
                " rindex rsplit rstrip split startswith strip upper center decode partition rpartition splitlines"
                " hex fromhex append extend"
            )

        # py/objarray.c, py/objint.c, py/objfloat.c
        class memoryview:
            __all__ = "itemsize hex"

        class int:
            __all__ = "from_bytes to_bytes"

        class float:
            __all__ = ""

        # py/objexcept.c
        class BaseException:
            __all__ = "args"

        class OSError:
            __all__ = "errno"

        # extmod/vfs*_file.c: files have this, and open() of extmod/vfs.c has these parameters.
        class _File:
            def close(self) -> None: ...
            def flush(self) -> None: ...
            def read(self, size: int = -1, /) -> Any: ...
            def readinto(self, buf: Any, nbytes: int = ..., /) -> int: ...
            def readline(self, size: int = -1, /) -> Any: ...
            def readlines(self) -> list[Any]: ...
            def seek(self, offset: int, whence: int = 0, /) -> int: ...
            def tell(self) -> int: ...
            def write(self, buf: Any, offset: int = ..., nbytes: int = ..., /) -> int: ...
            def __enter__(self) -> _File: ...
            def __exit__(self, *args: Any) -> None: ...
            def __iter__(self) -> Any: ...
            def __next__(self) -> Any: ...

        def open(file: str, mode: str = "r", buffering: int = -1, encoding: str | None = None) -> _File: ...

    class sys:
        # py/modsys.c
        __all__ = (
            "argv byteorder exit implementation maxsize modules path platform print_exception stderr stdin stdout"
            " version version_info ps1 ps2"
        )

    class json:
        # extmod/modjson.c
        __all__ = "dump dumps load loads"

    class re:
        # extmod/modre.c; the types have no names there.
        __all__ = "compile match search sub Match Pattern"

        class Match:
            __all__ = "group"

        class Pattern:
            __all__ = "match search sub split"

    class struct:
        # py/modstruct.c
        __all__ = "calcsize pack pack_into unpack unpack_from"

    class collections:
        # py/modcollections.c, py/objdeque.c
        __all__ = "deque namedtuple OrderedDict"

        class deque(object):
            def append(self, x: Any, /) -> None: ...
            def appendleft(self, x: Any, /) -> None: ...
            def extend(self, iterable: Any, /) -> None: ...
            def clear(self) -> None: ...
            def pop(self) -> Any: ...
            def popleft(self) -> Any: ...

    class io:
        # py/modio.c, py/objstringio.c
        __all__ = "open IOBase StringIO BytesIO"

        class IOBase(object): ...

        class BytesIO(object):
            def close(self) -> None: ...
            def flush(self) -> None: ...
            def getvalue(self) -> bytes: ...
            def read(self, size: int = -1, /) -> bytes: ...
            def readinto(self, buf: Any, nbytes: int = ..., /) -> int: ...
            def readline(self, size: int = -1, /) -> bytes: ...
            def seek(self, offset: int, whence: int = 0, /) -> int: ...
            def tell(self) -> int: ...
            def write(self, buf: Any, offset: int = ..., nbytes: int = ..., /) -> int: ...
            def __enter__(self) -> BytesIO: ...
            def __exit__(self, *args: Any) -> None: ...

        class StringIO(object):
            def close(self) -> None: ...
            def flush(self) -> None: ...
            def getvalue(self) -> str: ...
            def read(self, size: int = -1, /) -> str: ...
            def readline(self, size: int = -1, /) -> str: ...
            def seek(self, offset: int, whence: int = 0, /) -> int: ...
            def tell(self) -> int: ...
            def write(self, buf: str, /) -> int: ...
            def __enter__(self) -> StringIO: ...
            def __exit__(self, *args: Any) -> None: ...

    class hashlib:
        # extmod/modhashlib.c
        class sha256(object): ...
        class sha1(object): ...

    class time:
        # These are plain numbers; the stubs have types of their own for them.
        def ticks_ms() -> int: ...
        def ticks_us() -> int: ...
        def ticks_cpu() -> int: ...
        def ticks_add(ticks: int, delta: int, /) -> int: ...
        def ticks_diff(ticks1: int, ticks2: int, /) -> int: ...

    class socket:
        class socket:
            # py/stream.c: how much of a buffer and from where on.
            def write(self, buf: Any, offset: int = ..., nbytes: int = ..., /) -> int | None: ...
            def accept(self) -> tuple[socket, Any]: ...
            # extmod/modlwip.c and ports/esp32/modsocket.c: with flags since MicroPython 1.26.
            def recvfrom(self, bufsize: int, flags: int = ..., /) -> tuple[bytes, Any]: ...

    class micropython:
        class RingIO:
            # py/objringio.c and py/stream.c
            def read(self, nbytes: int = ..., /) -> bytes: ...
            def readinto(self, buf: Any, nbytes: int = ..., /) -> int | None: ...
            def readline(self, nbytes: int = ..., /) -> bytes: ...
            def write(self, buf: Any, offset: int = ..., nbytes: int = ..., /) -> int | None: ...

    class machine:
        class UART:
            # extmod/machine_uart.c and py/stream.c
            def read(self, nbytes: int = ..., /) -> bytes | None: ...
            def readinto(self, buf: Any, nbytes: int = ..., /) -> int | None: ...
            def write(self, buf: Any, offset: int = ..., nbytes: int = ..., /) -> int | None: ...

        class RTC:
            # ports/*/machine_rtc.c: make_new takes nothing.
            def __init__(self) -> None: ...

        class Timer:
            # ports/esp32/machine_timer.c, ports/esp8266/modmachine.c: all of these at once.
            def init(
                self,
                *,
                mode: int = 1,
                callback: object = None,
                period: int = ...,
                tick_hz: int = 1000,
                freq: float | None = None,
                hard: bool = False,
            ) -> None: ...

    class network:
        # ports/*/network_common.c and network_wlan.c, esp_network_ipconfig and esp_ipconfig.
        @overload
        def ipconfig(param: str, /) -> Any: ...
        @overload
        def ipconfig(*, dns: str) -> None: ...

        class WLAN:
            # ports/*/network_wlan.c: "rssi" is a number, "stations" a list.
            def status(self, param: str = ..., /) -> Any: ...
            @overload
            def ipconfig(self, param: str, /) -> Any: ...
            @overload
            def ipconfig(self, *, dhcp4: bool = ..., addr4: Any = ..., gw4: str = ...) -> None: ...

    class os:
        # extmod/modos.c, with what ports/*/mpconfigport.h switches on.
        __all__ = (
            "sep chdir getcwd listdir mkdir remove rename rmdir unlink stat statvfs dupterm dupterm_notify sync"
            " uname urandom ilistdir mount umount VfsFat VfsLfs2"
        )
        sep: str
        VfsFat: type
        VfsLfs2: type

class esp32:
    class hashlib:
        class md5(object): ...

    class machine:
        # extmod/modmachine.c, with ports/esp32/mpconfigport.h: on the S2, S3, C2, C3 and P4
        def bootloader(timeout: int = ..., /) -> None: ...

        class RTC:
            # ports/esp32/machine_rtc.c
            del alarm
            def init(self, datetime: tuple, /) -> None: ...

        class Pin:
            # ports/esp32/machine_pin.c
            del mode, pull, drive
            def init(
                self,
                mode: int | None = None,
                pull: int | None = -1,
                *,
                value: Any = ...,
                drive: int = ...,
                hold: bool = ...,
            ) -> None: ...
            def __init__(
                self,
                id: Any,
                /,
                mode: int | None = None,
                pull: int | None = -1,
                *,
                value: Any = ...,
                drive: int = ...,
                hold: bool = ...,
            ) -> None: ...

        class Timer:
            # ports/esp32/machine_timer.c
            def __init__(
                self,
                id: int = -1,
                /,
                *,
                mode: int = 1,
                callback: object = None,
                period: int = ...,
                tick_hz: int = 1000,
                freq: float | None = None,
                hard: bool = False,
            ) -> None: ...

    class network:
        class WLAN:
            # ports/esp32/network_wlan.c, network_wlan_config
            @overload
            def config(self, param: str, /) -> Any: ...
            @overload
            def config(
                self,
                *,
                mac: bytes = ...,
                ssid: str = ...,
                essid: str = ...,
                hidden: bool = ...,
                security: int = ...,
                authmode: int = ...,
                key: str = ...,
                password: str = ...,
                channel: int = ...,
                bandwidth: int = ...,
                hostname: str = ...,
                dhcp_hostname: str = ...,
                max_clients: int = ...,
                reconnects: int = ...,
                txpower: float = ...,
                protocol: int = ...,
                pm: int = ...,
            ) -> None: ...

    class vfs:
        # ports/esp32/mpconfigport.h: without MICROPY_VFS_ROM
        del rom_ioctl

    class esp32:
        # ports/esp32/modesp32.c: not on the plain ESP32, and the stub is that one's
        def mcu_temperature() -> int: ...

        # ports/esp32/modesp32.c, esp32_wake_on_gpio
        def wake_on_gpio(pins: Any = None, level: bool = ...) -> None: ...

        class Partition:
            # ports/esp32/esp32_partition.c
            def __init__(self, id: str | int, block_size: int = 4096, /) -> None: ...
            @staticmethod
            def find(
                type: int = 0, subtype: int = 255, label: str | None = None, block_size: int = 4096
            ) -> list[Partition]: ...
            def readblocks(self, block_num: int, buf: Any, offset: int = 0, /) -> bool: ...
            def ioctl(self, op: int, arg: Any, /) -> int | None: ...

    class tls:
        # extmod/modtls_mbedtls.c
        class SSLContext:
            verify_mode: int
            verify_callback: Any
            def __init__(self, protocol: int, /) -> None: ...
            def get_ciphers(self) -> list[str]: ...
            def set_ciphers(self, ciphers: list[str], /) -> None: ...
            def load_cert_chain(self, cert: Any, key: Any, /) -> None: ...
            def load_verify_locations(self, cadata: Any, /) -> None: ...
            def wrap_socket(
                self,
                sock: Any,
                /,
                *,
                server_side: bool = False,
                do_handshake_on_connect: bool = True,
                server_hostname: str | None = None,
                client_id: bytes | None = None,
            ) -> SSLSocket: ...

        class SSLSocket:
            def read(self, nbytes: int = ..., /) -> bytes | None: ...
            def readinto(self, buf: Any, nbytes: int = ..., /) -> int | None: ...
            def readline(self, nbytes: int = ..., /) -> bytes | None: ...
            def write(self, buf: Any, offset: int = ..., nbytes: int = ..., /) -> int | None: ...
            def setblocking(self, flag: bool, /) -> None: ...
            def close(self) -> None: ...
            def getpeercert(self, binary_form: bool, /) -> bytes: ...
            def cipher(self) -> tuple[str, str]: ...

class esp8266:
    # ports/esp8266/mpconfigport.h
    class builtins:
        del compile, execfile

        class str:
            del center, partition, rpartition, splitlines

        class bytes:
            del center, partition, rpartition, splitlines

        class bytearray:
            del center, partition, rpartition, splitlines

    class sys:
        del ps1, ps2

    class esp:
        # ports/esp8266/modesp.c
        def osdebug(uart_no: int | None, /) -> None: ...

    class machine:
        # ports/esp8266/modmachine.c and mpconfigport.h
        del SDCard, ADCBlock, ADCWiPy

        class RTC:
            # ports/esp8266/machine_rtc.c
            del init
            def alarm(self, id: int, time: int, /) -> None: ...

        class UART:
            # ports/esp8266/machine_uart.c
            def init(
                self,
                baudrate: int = 0,
                bits: int = 0,
                parity: int | None = ...,
                stop: int = 0,
                *,
                tx: Any = ...,
                rx: Any = ...,
                rxbuf: int = 0,
                timeout: int = 0,
                timeout_char: int = 0,
            ) -> None: ...
            def __init__(
                self,
                id: int,
                /,
                baudrate: int = 0,
                bits: int = 0,
                parity: int | None = ...,
                stop: int = 0,
                *,
                tx: Any = ...,
                rx: Any = ...,
                rxbuf: int = 0,
                timeout: int = 0,
                timeout_char: int = 0,
            ) -> None: ...

        class Pin:
            # ports/esp8266/machine_pin.c
            del mode, pull, drive
            def init(self, mode: int, pull: int | None = None, *, value: Any = ...) -> None: ...
            def __init__(self, id: Any, /, mode: int = ..., pull: int | None = None, *, value: Any = ...) -> None: ...

        class Timer:
            # ports/esp8266/modmachine.c, esp_timer_make_new
            def __init__(self, id: int, /) -> None: ...

    class network:
        class WLAN:
            # ports/esp8266/network_wlan.c, esp_config
            @overload
            def config(self, param: str, /) -> Any: ...
            @overload
            def config(
                self,
                *,
                mac: bytes = ...,
                ssid: str = ...,
                essid: str = ...,
                hidden: bool = ...,
                security: int = ...,
                authmode: int = ...,
                key: str = ...,
                password: str = ...,
                channel: int = ...,
                hostname: str = ...,
                dhcp_hostname: str = ...,
                protocol: int = ...,
                txpower: float = ...,
                pm: int = ...,
            ) -> None: ...

    class vfs:
        # extmod/vfs_rom.c, which ESP8266_GENERIC has in its variant FLASH_2M_ROMFS alone.
        class VfsRom:
            def __init__(self, image: Any, /) -> None: ...

    class tls:
        # extmod/modtls_axtls.c
        class SSLContext:
            verify_mode: int
            def __init__(self, protocol: int, /) -> None: ...
            def load_cert_chain(self, cert: Any, key: Any, /) -> None: ...
            def wrap_socket(
                self,
                sock: Any,
                /,
                *,
                server_side: bool = False,
                do_handshake_on_connect: bool = True,
                server_hostname: str | None = None,
            ) -> SSLSocket: ...

        class SSLSocket:
            def read(self, nbytes: int = ..., /) -> bytes | None: ...
            def readinto(self, buf: Any, nbytes: int = ..., /) -> int | None: ...
            def readline(self, nbytes: int = ..., /) -> bytes | None: ...
            def write(self, buf: Any, offset: int = ..., nbytes: int = ..., /) -> int | None: ...
            def setblocking(self, flag: bool, /) -> None: ...
            def close(self) -> None: ...
