"""Names that are in the ROM of MicroPython for the ESP8266, as its own modules have them, and take no memory there. The
firmware's short names are taken from these, as far as no source of it has them for something else."""

# As the package micropython-esp8266-stubs tells them, which a test compares; only short ones are worth a place here.
_NAMES = {
    "math": (
        "e pi cos exp log sin tan acos asin atan ceil fabs fmod modf sqrt atan2 floor frexp isinf isnan ldexp trunc "
        "degrees radians copysign isfinite"
    ),
    "uctypes": (
        "INT PTR INT8 LONG UINT VOID ARRAY INT16 INT32 INT64 SHORT UINT8 ULONG BFINT8 BF_LEN BF_POS NATIVE UINT16 "
        "UINT32 UINT64 USHORT sizeof BFINT16 BFINT32 BFUINT8 FLOAT32 FLOAT64 BFUINT16 BFUINT32 LONGLONG bytes_at "
        "ULONGLONG addressof BIG_ENDIAN"
    ),
    "framebuf": (
        "GS8 blit fill line poly rect text MVLSB hline pixel vline RGB565 scroll ellipse GS2_HMSB GS4_HMSB MONO_HLSB "
        "MONO_HMSB MONO_VLSB fill_rect"
    ),
    "machine": (
        "IN on ADC   I2C LSB MSB OUT PWM Pin RTC  SPI WDT irq off IDLE  UART  duty feed freq idle "
        "init mem8 mode pull read scan stop SLEEP Timer alarm   flush mem16 mem32 reset sleep start value "
        " write ALARM0     Signal deinit memory toggle txdone "
        "  PULL_UP SoftI2C SoftSPI channel connect duty_ns writeto    ONE_SHOT "
        "PERIODIC   datetime duty_u16 read_u16 readfrom readinto readline writevto "
        "   DEEPSLEEP   WDT_RESET  bitstream "
        "deepsleep unique_id   HARD_RESET IRQ_RISING   OPEN_DRAIN SOFT_RESET "
        " alarm_left enable_irq lightsleep readblocks "
    ),
    "esp": (
        "free malloc freemem meminfo osdebug LOG_INFO LOG_NONE check_fw flash_id LOG_DEBUG LOG_ERROR SLEEP_NONE "
        "flash_read flash_size sleep_type"
    ),
    "errno": (
        "EIO EBADF EPERM EACCES EAGAIN EEXIST EINVAL EISDIR ENODEV ENOENT ENOMEM ENOBUFS ENOTSUP EALREADY ENOTCONN "
        "ETIMEDOUT errorcode EADDRINUSE ECONNRESET EOPNOTSUPP"
    ),
    "lwip": (
        "bind recv send close accept listen sendto socket AF_INET sendall AF_INET6 MSG_PEEK SOCK_RAW callback "
        "makefile recvfrom IPPROTO_IP SOCK_DGRAM SOL_SOCKET print_pcbs setsockopt settimeout"
    ),
    "btree": "DESC INCL",
    "cryptolib": "aes decrypt encrypt MODE_CBC MODE_CTR MODE_ECB",
    "deflate": "RAW AUTO GZIP ZLIB DeflateIO",
    "heapq": "heapify heappop heappush",
    "random": "seed randrange",
    "micropython": (
        "const viper RingIO native kbd_intr mem_info schedule asm_thumb heap_lock opt_level qstr_info stack_use "
        "asm_xtensa"
    ),
    "time": "time gmtime mktime time_ns sleep_ms sleep_us ticks_ms ticks_us localtime ticks_add ticks_cpu ticks_diff",
    "espnow": (
        "poll irecv ESPNow POLLIN active config KEY_LEN RATE_1M RATE_2M RATE_5M RATE_6M set_pmk ADDR_LEN RATE_11M "
        "RATE_12M RATE_24M RATE_54M add_peer del_peer recvinto ESPNowBase"
    ),
    "neopixel": "n bpp buf pin ORDER timing NeoPixel",
    "dht": "DHT11 DHT22 DHTBase measure humidity",
    "onewire": "crc8 OneWire readbit SKIP_ROM readbyte writebit MATCH_ROM writebyte SEARCH_ROM select_rom",
    "binascii": "hexlify unhexlify a2b_base64 b2a_base64",
}


def rom_names():
    """The short ones first."""
    return sorted({name for names in _NAMES.values() for name in names.split()}, key=lambda name: (len(name), name))
