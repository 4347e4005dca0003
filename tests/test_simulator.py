"""atsim itself: its terminal, its flash, its control socket, its crashes, its options.
What the firmware answers is tested elsewhere; here it is only the load on the bench."""

import os
import pathlib
import select
import signal
import socket
import stat
import subprocess
import sys
import time

import pytest
from module import LIMIT, Module
from mpyat.build import FLASH_SIZES, OTA_FLASH_SIZE, build, write_flash
from prompt import to_the_prompt
from transcript import play

ATSIM = [sys.executable, "-m", "mpyat.simulator"]
READY = "⏎ready⏎"


def failing(*options):
    """Runs an atsim that must not start; returns what it says, which is one line."""
    result = subprocess.run([*ATSIM, *options], capture_output=True, text=True, timeout=LIMIT, check=False)
    assert result.returncode not in (0, None)
    assert "Traceback" not in result.stderr, result.stderr
    [line] = result.stderr.splitlines()
    return line


def test_first_line_and_end():
    """The first line names the terminal; SIGINT and SIGTERM end it well, and nothing of it stays."""
    for number in (signal.SIGINT, signal.SIGTERM):
        with subprocess.Popen(ATSIM, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            line = process.stdout.readline().decode()
            assert line.startswith("AT port: /dev/pts/"), line
            path = line.removeprefix("AT port: ").strip()
            assert os.path.exists(path)
            process.send_signal(number)
            assert process.wait(LIMIT) == 0
            assert process.stderr.read() == b""


def test_link(start, tmp_path):
    link = tmp_path / "modem"
    module = start("--link", link)
    assert os.readlink(link) == module.port
    module.close()
    module.port = str(link)
    module.open()
    module.command("AT")
    module.process.send_signal(signal.SIGTERM)
    assert module.process.wait(LIMIT) == 0
    assert not link.is_symlink()
    # A link that was left behind is replaced, a file never.
    link.symlink_to("/nowhere")
    other = start("--link", link)
    assert os.readlink(link) == other.port
    file = tmp_path / "file"
    file.write_text("precious")
    assert str(file) in failing("--link", str(file))
    assert file.read_text() == "precious"


def test_the_host_comes_and_goes(module):
    """It may close and reopen its end; what the module says meanwhile waits in the terminal."""
    module.close()
    module.open()
    module.command("AT")
    module.send("AT+CWMODE?")
    module.close()
    module.open()
    module.expect("+CWMODE:1⏎⏎OK⏎")


def test_restart_keeps_the_terminal(module):
    module.send("AT+CWMODE?")
    module.expect("+CWMODE:1⏎⏎OK⏎")
    before = chips(module)
    module.send("AT+RST")
    module.expect("⏎OK⏎⏎ready⏎")
    assert chips(module) != before
    module.send("AT")
    module.expect("AT⏎⏎OK⏎")


def test_flash_lasts(start, tmp_path):
    flash = tmp_path / "flash.img"
    module = start("--flash", flash)
    module.command("AT+CWMODE=3")
    stop(module)
    assert flash.stat().st_size == FLASH_SIZES["esp32"]
    again = start("--flash", flash)
    again.send("AT+CWMODE?")
    again.expect("+CWMODE:3⏎⏎OK⏎")


def test_ota_partitions_leave_less_for_files(start, tmp_path):
    flash = tmp_path / "flash.img"
    stop(start("--flash", flash, "--ota-partitions"))
    assert flash.stat().st_size == OTA_FLASH_SIZE
    assert failing("--flash", str(flash)).endswith(f"{flash} is from a flash with OTA partitions")
    stop(start("--flash", flash, "--ota-partitions"))
    other = tmp_path / "other.img"
    stop(start("--flash", other))
    said = failing("--flash", str(other), "--ota-partitions")
    assert said.endswith(f"{other} is from a flash without OTA partitions")


def test_what_holds_secrets_is_for_its_owner_alone(start, tmp_path):
    """Whatever the umask: the flash, also while it is made and where it was readable before, and the control socket."""
    flash = tmp_path / "flash.img"
    mask = os.umask(0)
    try:
        module = start("--flash", flash)
        assert modes(flash, module.control_path) == [0o600, 0o600]
        stop(module)
        flash.chmod(0o666)
        module = start("--flash", flash, "--control", tmp_path / "other")
    finally:
        os.umask(mask)
    assert modes(flash, tmp_path / "other") == [0o600, 0o600]
    stop(module)
    # An image that cannot be made whole (a limit of 64 KiB for files) was never open to others either.
    flash.unlink()
    limited = ["sh", "-c", 'umask 0; trap "" XFSZ; ulimit -f 128; exec "$@"', "sh", *ATSIM, "--flash", flash]
    result = subprocess.run(limited, capture_output=True, text=True, timeout=LIMIT, check=False)
    assert result.returncode == 1 and f"cannot use {flash}" in result.stderr, result.stderr
    assert modes(flash) == [0o600]


def modes(*paths):
    return [stat.S_IMODE(os.stat(path).st_mode) for path in paths]


def test_without_a_file_the_flash_is_new(start):
    for _ in range(2):
        module = start()
        module.send("AT+CWMODE?")
        module.expect("+CWMODE:1⏎⏎OK⏎")
        module.command("AT+CWMODE=3")


def stop(module):
    """Ends a module before the test does; the end is only good once its fixture finds it so."""
    module.process.send_signal(signal.SIGTERM)
    assert module.process.wait(LIMIT) == 0


def test_not_a_flash_image(tmp_path):
    flash = tmp_path / "flash.img"
    flash.write_bytes(b"something else")
    assert str(flash) in failing("--flash", str(flash))
    assert flash.read_bytes() == b"something else"
    assert "no/such/folder" in failing("--flash", str(tmp_path / "no/such/folder/flash.img"))


@pytest.mark.parametrize("board, other", [("esp32", "ESP8266"), ("esp8266", "ESP32")])
def test_the_flash_of_the_other_chip(tmp_path, board, other):
    flash = tmp_path / "flash.img"
    flash.write_bytes(build(other.lower()).flash.read_bytes())
    before = flash.read_bytes()
    said = f"{flash} is not a flash image that can be used: it is the flash of an {other}"
    assert failing("--flash", str(flash), "--board", board).endswith(said)
    assert flash.read_bytes() == before


def test_power_cycle(module):
    module.command("AT+CWMODE=2")
    assert module.control("power cycle") == "ok"
    module.expect(READY)
    module.send("AT+CWMODE?")
    module.expect("AT+CWMODE?⏎+CWMODE:2⏎⏎OK⏎")


def test_settings_survive_a_cut_at_any_write(start, tmp_path):
    """Either the old value or the new one, however much of the writing was done."""
    module = start("--flash", tmp_path / "flash.img")
    module.command("AT+CWMODE=2")
    for writes in range(1, 40):
        assert module.control(f"power cut after {writes} writes") == "ok"
        answered = answers(module, "AT+CWMODE=3")
        assert module.control("power cycle") == "ok"
        module.match(r".*\r\nready\r\n")
        module.send("ATE0")
        module.expect("ATE0⏎⏎OK⏎")
        module.send("AT+CWMODE?")
        mode = module.match(r"\+CWMODE:([23])\r\n\r\nOK\r\n")[1]
        if answered:
            assert mode == b"3"
            break
        module.command("AT+CWMODE=2")
    else:
        raise AssertionError("the settings took 40 writes")
    assert "damaged" not in module.console()


def answers(module, command):
    """Sends a command; whether its OK came before the end of the chip's process."""
    chip = os.pidfd_open(chips(module)[0])
    module.send(command)
    assert select.select([module.fd, chip], [], [], LIMIT)[0]
    os.close(chip)
    return module.said() and module.received.startswith(b"\r\nOK")


def chips(module):
    """The processes of the module's chip: one while its power is on."""
    pid = module.process.pid
    return [int(child) for child in pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def test_access_points_down_and_up(online):
    assert online.control("ap down mpy-at") == "ok"
    online.expect("WIFI DISCONNECT⏎")
    assert online.control("ap up mpy-at") == "ok"
    online.expect("WIFI CONNECTED⏎WIFI GOT IP⏎")


def test_noise(module):
    assert module.control(r"uart noise AT\r\n") == "ok"
    module.expect("⏎OK⏎")
    assert module.control(r"uart noise \x00\xff\x80noise\r\n") == "ok"
    module.expect("⏎ERROR⏎")


# What is wrong with a line, and what is said of it.
REFUSED = {
    "": "'' is not one of the lines that docs/simulator.md has",
    "x" * 2000: f"'{'x' * 2000}' is not one of the lines that docs/simulator.md has",
    "ap down": "'ap down' is not of the form ap down|up NAME",
    "ap channel 3": "'ap channel 3' is not of the form ap rssi|channel N NAME",
    "ap dhcp yes mpy-at": "'ap dhcp yes mpy-at' is not of the form ap dhcp on|off NAME",
    "ap down nobody": "no access point 'nobody'",
    "ap channel 15 mpy-at": "channel must be a number from 1 to 14",
    "ap rssi loud mpy-at": "rssi must be a number from -128 to 0",
    "ap address 1.2.3 mpy-at": "address must be an IPv4 address",
    "power": "'power' is not of the form power cycle, power cut after N writes",
    "power cut after 0 writes": "N must be a number from 1 to 1000000",
    "power cut after -1 writes": "N must be a number from 1 to 1000000",
    "pin 99 high": "the pin must be a number from 0 to 39",
    "pin x low": "the pin must be a number from 0 to 39",
    "pin 6 low": "the chip has no pin 6",
    "pin 4 on": "'pin 4 on' is not of the form pin N high|low, pin N is high|low",
    "time pass 1h": "SECONDS is a number such as 90 or 0.5",
    "time pass 1": "that needs atsim --time, and no more than six days can pass",
    r"uart noise \x0": "bytes are written as in a Python literal",
}


def test_control_commands_that_are_none(module):
    for command, said in REFUSED.items():
        assert module.control(command) == f"error: {said}"
    assert module.control("ap").startswith("error: 'ap' is not of the form ap down|up NAME, ap rssi")
    module.settled()


@pytest.mark.parametrize("board", ["esp32", "esp8266"])
def test_time_passes(start, board):
    """For the links, the clock and sleep; not more than six days."""
    module = start("--board", board, "--time")
    module.send('AT+CWJAP="mpy-at","12345678"')
    module.expect("WIFI CONNECTED⏎WIFI GOT IP⏎⏎OK⏎")
    module.command("AT+CIPMUX=1")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    module.command(f"AT+CIPSERVER=1,{port}")
    module.command("AT+CIPSTO=7200")
    with socket.create_connection(("127.0.0.1", port)) as peer:
        module.expect("0,CONNECT⏎")
        assert module.control("time pass 7000") == "ok"
        module.settled()
        assert module.control("time pass 199.5") == "ok"
        module.expect("0,CLOSED⏎")
        assert peer.recv(1) == b""
    module.command("AT+SYSTIMESTAMP=1000000")
    assert module.control("time pass 5000") == "ok"
    module.send("AT+SYSTIMESTAMP?")
    assert int(module.match(r"\+SYSTIMESTAMP:(\d+)\r\n\r\nOK\r\n")[1]) in range(1005000, 1005000 + LIMIT)
    module.send("AT+GSLP=3600000")
    module.expect("3600000⏎⏎OK⏎")
    while module.control("asleep") != "ok":
        time.sleep(0.002)
    assert module.control("time pass 3600") == "ok"
    module.expect("⏎ready⏎")
    assert module.control("time pass 518400") == "error: that needs atsim --time, and no more than six days can pass"


def test_flash_in_use(start, tmp_path):
    image = tmp_path / "flash.img"
    start("--flash", image)
    assert f"{image} is in use by another simulator" in failing("--flash", image)


def test_control_socket_in_use(module, tmp_path):
    assert module.control_path in failing("--control", module.control_path)


def crashing(folder, select_module):
    """A flash image with a module select of its own, which the firmware imports at its start, in place of its own."""
    files = {"/select.py": folder / "select.py"}
    files["/select.py"].write_text(select_module)
    flash = folder / "flash.img"
    write_flash(flash, build("esp32").files | files)
    return flash


# The firmware cannot even be imported; the chip's MicroPython says why.
AT_IMPORT = "raise RuntimeError('on the bench')"
# It fails while it runs, and main.py resets the chip.
WHILE_RUNNING = "def poll(): raise RuntimeError('on the bench')"


@pytest.mark.parametrize("fault", [AT_IMPORT, WHILE_RUNNING])
def test_crash(tmp_path, fault):
    """The traceback is on stderr, and the module starts anew."""
    once = "import os\nos.remove('/select.py')\n" + fault
    module = Module(tmp_path, "--flash", crashing(tmp_path, once), ready=False)
    module.expect(READY)
    assert module.console().count("RuntimeError: on the bench") == 1
    with pytest.raises(AssertionError, match="on the bench"):
        module.stop()


@pytest.mark.parametrize("fault", [AT_IMPORT, WHILE_RUNNING])
def test_three_crashes(tmp_path, fault):
    flash = crashing(tmp_path, fault)
    result = subprocess.run([*ATSIM, "--flash", flash], capture_output=True, text=True, timeout=LIMIT, check=False)
    assert result.returncode == 1
    assert result.stderr.count("RuntimeError: on the bench") == 3
    assert result.stderr.splitlines()[-1] == "atsim: the firmware crashed 3 times within 10 seconds"


def test_restarts_are_no_crashes(module):
    for _ in range(5):
        module.send("AT+RST")
        module.match(r"(AT\+RST\r\n)?\r\nOK\r\n\r\nready\r\n")


def test_two_at_once(start):
    one, two = start(), start()
    assert one.port != two.port
    one.command("AT+CWMODE=2")
    two.command("AT+CWMODE=3")
    one.send("AT+CWMODE?")
    one.expect("+CWMODE:2⏎⏎OK⏎")
    two.send("AT+CWMODE?")
    two.expect("+CWMODE:3⏎⏎OK⏎")


def test_esp8266(start):
    """The basic session, in the heap of 38 KiB that the chip has."""
    module = start("--board", "esp8266")
    play(
        module,
        """
        > AT+GMR
        ~ AT version:2\\.3\\.0\\.0\\([0-9a-f]{7} - ESP8266 - [^⏎]*\\)⏎.*⏎⏎OK⏎
        > AT+CWLAP
        ~ \\+CWLAP:\\(3,"mpy-at",-40,[^⏎]*\\)⏎⏎OK⏎
        > AT+CWJAP="mpy-at","12345678"
        < WIFI CONNECTED⏎WIFI GOT IP⏎⏎OK⏎
        > AT+CIFSR
        < +CIFSR:STAIP,"127.0.0.1"⏎+CIFSR:STAMAC,"5c:cf:7f:c0:ff:ee"⏎⏎OK⏎
        peer web
        link web
        > AT+CIPSEND=5
        < ⏎OK⏎⏎>
        >> hello
        < ⏎Recv 5 bytes⏎⏎SEND OK⏎
        web gets hello
        web sends good day
        < ⏎+IPD,8:good day
        web closes
        < CLOSED⏎
        ! ap down mpy-at
        < WIFI DISCONNECT⏎
        """,
    )


def test_heap(start):
    """A larger one shows in what is free."""
    free = []
    for size in ("192K", "512K", "1M"):
        module = start("--heap", size)
        module.send("AT+SYSRAM?")
        free.append(int(module.match(r"\+SYSRAM:(\d+),\d+\r\n\r\nOK\r\n")[1]))
    assert free[0] < free[1] - 300000 < free[2] - 800000


@pytest.mark.parametrize("baud", [115200, 19200])
def test_pace(start, baud):
    """Not faster than the line, either way."""
    module = start("--pace")
    if baud != 115200:
        module.command(f"AT+UART_CUR={baud},8,1,0,0")
    for command, answer in (("AT+CMD?", r".*\r\n\r\nOK\r\n"), ("AT" + " " * 1000, r"\r\nERROR\r\n")):
        began = time.monotonic()
        module.send(command)
        got = module.match(answer)[0]
        assert time.monotonic() - began >= (len(command) + 2 + len(got)) * 10 / baud * 0.95


@pytest.mark.parametrize(
    "text, complaint",
    [
        ("[[ap", ""),
        ("ssid = 1", "ap"),
        ("[[ap]]", "ssid"),
        ("[[ap]]\nssid = 5", "ssid"),
        ('[[ap]]\nssid = "a"\ncolour = "red"', "colour"),
        ('[[ap]]\nssid = "a"\nsecurity = "WPA9"', "security"),
        ('[[ap]]\nssid = "a"\nbssid = "1:2"', "MAC address"),
        ('[[ap]]\nssid = "a"\nbssid = "03:00:00:00:00:01"', "MAC address"),
        ('[[ap]]\nssid = "a"\nbssid = "00:00:00:00:00:00"', "MAC address"),
        ('[[ap]]\nssid = "a"\nbssid = "02:00:00:00:00:01"\n' * 2, "number 2: bssid"),
        ('[[ap]]\nssid = ""', "ssid is missing"),
        ('[[ap]]\nssid = "' + "\xe9" * 17 + '"', "ssid must have 1 to 32 bytes"),
        ('[[ap]]\nssid = "a"\npassword = "1234567"', "password must have 8 to 63"),
        ('[[ap]]\nssid = "a"\npassword = "' + "x" * 65 + '"', "password must have 8 to 63"),
        ('[[ap]]\nssid = "a"\nsecurity = "WPA2"', "password must have 8 to 63"),
        ('[[ap]]\nssid = "a"\nsecurity = "WEP"\npassword = "1234"', "5, 10, 13 or 26"),
        ('[[ap]]\nssid = "a"\nsecurity = "OPEN"\npassword = "12345678"', "an open network has no password"),
        ('[[ap]]\nssid = "a"\nchannel = 99', "channel must be from 1 to 14"),
        ('[[ap]]\nssid = "a"\nchannel = 0', "channel"),
        ('[[ap]]\nssid = "a"\nchannel = true', "channel is of the wrong type"),
        ('[[ap]]\nssid = "a"\nrssi = 1', "rssi must be from -128 to 0"),
        ('[[ap]]\nssid = "a"\njoin_ms = -1', "join_ms must be from 0"),
        ('[[ap]]\nssid = "a"\nntp_port = 65536', "ntp_port must be from 1"),
        ('[[ap]]\nssid = "a"\naddress = "127.0.0"', "address must be an IPv4 address"),
        ('[[ap]]\nssid = "a"\ngateway = "::1"', "gateway must be an IPv4 address"),
        ('[[ap]]\nssid = "a"\nnetmask = "255.0.255.0"', "netmask"),
        ('[[ap]]\nssid = "a"\nnetmask = "24"', "netmask"),
        ('[[ap]]\nssid = "a"\ndns = "localhost"', "dns must be"),
        ('[[ap]]\nssid = "a"\ndns = "127.0.0.1:"', "dns must be"),
        ('[[ap]]\nssid = "a"\ndns = "127.0.0.1:70000"', "dns must be"),
        ("ap = [1]", "expected tables"),
        ("[ap]\nssid = 'a'", "expected tables"),
    ],
)
def test_errors_in_the_file_of_access_points(tmp_path, text, complaint):
    path = tmp_path / "wifi.toml"
    path.write_text(text)
    line = failing("--wifi", str(path))
    assert line.startswith(f"atsim: {path}: ") and complaint in line


def test_files_that_are_not_there(tmp_path):
    missing = str(tmp_path / "missing")
    for option in ("--wifi", "--micropython"):
        assert missing in failing(option, missing)


def test_the_table_of_names_does_not_grow_on_an_esp32(start):
    """The stand-ins' names, which a chip has in its ROM, make the table grow once more than there. It needs 14 KB in
    one piece, and where the heap has no such piece there are no new names, and so no modules of commands."""
    module = start()
    to_the_prompt(module)
    lines = (
        "pieces = []",
        "try:",
        " while True: pieces.append(bytearray(4000))",
        "except MemoryError:",
        " for at in range(0, len(pieces), 2): pieces[at] = None",
        "for number in range(600): hasattr(pieces, 'name%d' % number)",
        "print('last', number)",
    )
    module.write(b"\x05" + "\r".join(lines).encode() + b"\x04")
    module.match(r".*\nlast 599⏎>>> ")
