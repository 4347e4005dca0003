"""Where the stubs of MicroPython's ports are wrong, and what the ports' own sources say, which the comments name.
A declaration takes the place of all that the stub has under its name, `del` takes a name away, and `__all__` says which
names there are. Constants without a value are gone anyway, see stubs.py."""

class every_board:
    class machine:
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
            @overload
            def ipconfig(self, param: str, /) -> Any: ...
            @overload
            def ipconfig(self, *, dhcp4: bool = ..., addr4: Any = ..., gw4: str = ...) -> None: ...

    class os:
        # extmod/modos.c, with what ports/*/mpconfigport.h switches on.
        __all__ = (
            "sep chdir getcwd listdir mkdir remove rename rmdir unlink stat statvfs dupterm dupterm_notify sync uname"
            " urandom ilistdir mount umount VfsFat VfsLfs2"
        )
        sep: str
        VfsFat: type
        VfsLfs2: type

class esp32:
    class machine:
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
        # ports/esp32/modesp32.c, esp32_wake_on_gpio
        def wake_on_gpio(pins: Any = None, level: bool = ...) -> None: ...

        class Partition:
            # ports/esp32/esp32_partition.c
            @staticmethod
            def find(
                type: int = 0, subtype: int = 255, label: str | None = None, block_size: int = 4096
            ) -> list[Partition]: ...
            def readblocks(self, block_num: int, buf: Any, offset: int = 0, /) -> bool: ...
            def ioctl(self, op: int, arg: Any, /) -> int | None: ...

class esp8266:
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
        # extmod/modtls_axtls.c: the context calls none of its methods by other names than these.
        class SSLContext:
            verify_mode: int
            def __init__(self, protocol: int, /) -> None: ...
            def load_cert_chain(self, cert: bytes, key: bytes, /) -> None: ...
            def wrap_socket(
                self,
                sock: Any,
                /,
                *,
                server_side: bool = False,
                do_handshake_on_connect: bool = True,
                server_hostname: Any = None,
            ) -> Any: ...
