"""What survives a restart, a power cycle and a power cut, and what AT+RESTORE forgets.
Settings that are damaged all the same cost no more than themselves."""

import itertools
import json

import pytest
from flashimage import power_cycle
from mpyat import catalog
from mpyat.build import build, write_flash
from saved import DEFAULTS, answers, files, settings
from transcript import play as play_transcript

BOARDS = pytest.mark.parametrize("board", ["esp32", "esp8266"])
RESTARTED = """
    > ATE0
    < ATE0⏎⏎OK⏎
"""
RESTART = "> AT+RST\n < ⏎OK⏎⏎ready⏎" + RESTARTED
POWER_CYCLE = "! power cycle\n < ⏎ready⏎" + RESTARTED


@BOARDS
def test_restore(start, board):
    play_transcript(
        start("--board", board),
        """
        > AT+CWMODE=3
        < ⏎OK⏎
        > AT+SYSMSG=2
        < ⏎OK⏎
        > AT+UART_DEF=9600,8,1,0,0
        < ⏎OK⏎
        > AT+CWJAP="mpy-at","12345678"
        < WIFI CONNECTED⏎WIFI GOT IP⏎⏎OK⏎
        > AT+RESTORE
        < ⏎OK⏎⏎ready⏎
        """
        + RESTARTED
        + """
        > AT+CWMODE?
        < +CWMODE:1⏎⏎OK⏎
        > AT+SYSMSG?
        < +SYSMSG:0⏎⏎OK⏎
        > AT+UART_CUR?
        < +UART_CUR:115200,8,1,0,0⏎⏎OK⏎
        > AT+CWSTATE?
        < +CWSTATE:0,""⏎⏎OK⏎
        > AT+CWJAP
        < ⏎ERROR⏎
        > AT+RESTORE?
        < ⏎ERROR⏎
        """,
    )


@pytest.mark.parametrize("again", ["AT+RST", "power"])
@pytest.mark.parametrize("store", [0, 1])
@BOARDS
def test_what_is_saved(start, board, store, again):
    play_transcript(
        start("--board", board),
        f"""
        > AT+SYSMSG=1
        < ⏎OK⏎
        > AT+SYSSTORE={store}
        < ⏎OK⏎
        > AT+CWMODE=2
        < ⏎OK⏎
        > AT+SYSMSG=2
        < ⏎OK⏎
        > AT+CWMODE?
        < +CWMODE:2⏎⏎OK⏎
        """
        + (POWER_CYCLE if again == "power" else RESTART)
        + f"""
        > AT+CWMODE?
        < +CWMODE:{1 + store}⏎⏎OK⏎
        > AT+SYSMSG?
        < +SYSMSG:{1 + store}⏎⏎OK⏎
        """,
    )


# What the manual has in its list under AT+SYSSTORE, without Bluetooth, and what is saved whatever that says.
WHILE_SYSSTORE = """
    SYSMSG CWMODE CIPV6 CWJAP CWSAP CWRECONNCFG CIPAP CIPSTA CIPAPMAC CIPSTAMAC CIPDNS CIPSSLCCONF CIPRECONNINTV
    CIPTCPOPT CWDHCPS CWDHCP CWSTAPROTO CWAPPROTO CWBANDWIDTH CWJEAP CIPETH CIPETHMAC
"""
ALWAYS = {"UART_DEF", "SAVETRANSLINK", "CWAUTOCONN", "MPYVERSION", "MPYUPDATE"}


def test_what_the_manual_saves_is_saved():
    for command in catalog.load():
        if "set" in command.forms:
            wanted = "always" if command.name in ALWAYS else "store" if command.name in WHILE_SYSSTORE.split() else ""
            assert command.saved == wanted, command.name


@pytest.mark.ipv6
@BOARDS
def test_each_setting_is_there_after_a_restart(start, board):
    """Not only what a query shows of it: the network is joined with all that AT+CWJAP was given."""
    bssid = "02:00:00:00:00:07"
    network = f'[[ap]]\nssid = "home"\npassword = "longenough"\nbssid = "{bssid}"\n'
    module = start("--board", board, wifi=network)
    for command in (
        "AT+SYSMSG=7",
        "AT+CWMODE=3",
        'AT+CIPDNS=1,"10.0.0.1",,"10.0.0.3"',
        "AT+CIPRECONNINTV=36000",
        "AT+CIPTCPOPT=7,1,100,60",
        "AT+UART_DEF=9600,7,3,2,0",
        "AT+CWAUTOCONN=1",
        f"AT+CIPV6={int(board == 'esp32')}",
        f'AT+CWJAP="home","longenough","{bssid}",1,7200,100,1,600,1',
    ):
        module.send(command)
        answers(module)
    found = {
        "SYSMSG": "7",
        "CWMODE": "3",
        "CIPDNS": '1,"10.0.0.1","10.0.0.3"',
        "CIPRECONNINTV": "36000",
        "CIPTCPOPT": "0,7,1,100",
        "UART_DEF": "9600,7,3,2,0",
        "CIPV6": str(int(board == "esp32")),
        "CWSTATE": '"home"',
    }
    assert settings(module) == DEFAULTS | found
    for _ in range(2):
        assert module.control("power cycle") == "ok"
        module.expect("⏎ready⏎WIFI CONNECTED⏎WIFI GOT IP⏎")
        assert settings(module) == DEFAULTS | found
        module.send("AT+CWJAP?")
        module.match(rf'AT.*\+CWJAP:"home","{bssid}",\d+,-?\d+,1,7200,100,1,1\r\n\r\nOK\r\n')
        module.send("AT+UART_CUR?")
        module.match(r"AT.*\+UART_CUR:9600,7,3,2,0\r\n\r\nOK\r\n")


def test_settings_stay_on_the_flash_of_a_module_that_was_off(start, tmp_path):
    flash = tmp_path / "flash.img"
    first = start("--flash", flash)
    first.command("AT+CWMODE=3")
    first.command("AT+SYSMSG=3")
    first.stop()
    second = start("--flash", flash)
    second.send("AT+CWMODE?")
    second.expect("+CWMODE:3⏎⏎OK⏎")
    second.send("AT+SYSMSG?")
    second.expect("+SYSMSG:3⏎⏎OK⏎")


@pytest.fixture
def stored(start, tmp_path):
    """A function that starts a module with these files of settings on its flash; a text for a file, or an object."""

    def stored(board, store=None, **names):
        flash = tmp_path / "flash.img"
        contents = {"/settings.json": store} if store is not None else {}
        contents |= {f"/settings.{ending}": text for ending, text in names.items()}
        for path, content in contents.items():
            contents[path] = tmp_path / path[1:]
            data = content if isinstance(content, (bytes, str)) else json.dumps(content)
            contents[path].write_bytes(data if isinstance(data, bytes) else data.encode())
        write_flash(flash, contents)
        module = start("--board", board, "--flash", flash)
        module.flash = flash
        return module

    return stored


DAMAGED = {
    "empty": "",
    "cut": '{"CWMODE": [3',
    "list": "[]",
    "zeros": "\0" * 50,
    "number": "17",
    "erased": b"\xff" * 64,
    "more": '{"CWMODE": [3]} {',
    "no name": "{[]: [3]}",
    "no text": b'{"CWJAP": ["\xff"]}',
    "deep": "[" * 20000,
    "nested": '{"SYSMSG": [2], "FUTURE": ' + "[" * 600 + "]" * 600 + "}",
    "large": '{"SYSMSG": [2], "FUTURE": ["' + "x" * 20000 + '"]}',
    "long": '{"CWMODE": "' + "x" * 24000,
}


@BOARDS
@pytest.mark.parametrize("text", DAMAGED.values(), ids=DAMAGED)
def test_damaged_settings_are_set_aside(stored, board, text):
    module = stored(board, text)
    assert module.console().count("settings: damaged, set aside as /settings.bad") == 1
    assert settings(module) == DEFAULTS
    module.command("AT+CWMODE=2")
    power_cycle(module)
    assert settings(module) == DEFAULTS | {"CWMODE": "2"}
    assert module.console().count("damaged") == 1
    module.stop()
    found = files(module.flash)
    assert sorted(found) == ["settings.bad", "settings.json"]
    assert json.loads(found["settings.json"]) == {"CWMODE": [2, 1]}


# Values that no version of these commands has saved.
WRONG = {
    "CWMODE": [None, 3, "3", [], ["3"], [3.5], [4, 1], [[3]], {"0": 3}, [3, 2], [None], [{}], [10**30]],
    "UART_DEF": [[], [115200], [79, 8, 1, 0, 0], [9600, 9, 1, 0, 0], ["9600", 8, 1, 0, 0], [5000001, 8, 1, 0, 0]],
    "CWJAP": [
        *([None], [None, "secret"], ["", "secret"], [1, "secret"], ["x" * 33, "secret"], ["net", ["secret"]]),
        *(["net", "secret", "00:11"], ["net", "secret", "xx:xx:xx:xx:xx:xx"], "secret", {"secret": "secret"}),
    ],
    "CWAUTOCONN": [[2], ["0"], 0, []],
    "CIPDNS": [[2], [1, 10], [1, ["10.0.0.1"]], ["secret"], [1, "x" * 40]],
    "CIPRECONNINTV": [[0], ["7"], [36001], [[]], 7],
    "CIPTCPOPT": [
        *([], [[-1, 0, 0, 0]] * 4, [[-1, 0, 0]] * 5, [[1, 1, 1, None]] * 5, [1] * 5, [[-2, 0, 0, 0]] * 5),
        *([["1", 1, 1, 1]] * 5, [[[]] * 4] * 5, {"1": 1}),
    ],
    "CIPV6": [[2], ["1"], None],
    "SAVETRANSLINK": [[1], [2], [1, "host"], [1, "host", 0], [1, "host", 80, "TLS"], [1, None, 80], [1, 7, 80], "1"],
    "FUTURE": [None, 1, [{"a": [None]}], "text", {}],
}
STORES = [
    {name: value for name, value in zip(WRONG, row, strict=True) if value != "absent"}
    for row in itertools.zip_longest(*WRONG.values(), fillvalue="absent")
]


@BOARDS
@pytest.mark.parametrize("store", STORES, ids=range(len(STORES)))
def test_a_wrong_value_costs_only_itself(stored, board, store):
    module = stored(board, store | {"SYSMSG": [2]})
    assert settings(module) == DEFAULTS | {"SYSMSG": "2"}
    assert "settings: CWMODE cannot be used, its default is" in module.console()
    assert "secret" not in module.console()
    module.command("AT+CIPRECONNINTV=5")
    power_cycle(module)
    assert settings(module) == DEFAULTS | {"SYSMSG": "2", "CIPRECONNINTV": "5"}


@pytest.mark.parametrize("line", [[5000000, 8, 1, 0, 0], [9600, 8, 2, 0, 0], [9600, 8, 1, 0, 3]], ids=str)
def test_what_this_chip_cannot_do(stored, line):
    """As if the settings were those of another chip: the host finds the module where it is without settings."""
    module = stored("esp8266", {"UART_DEF": line, "CIPV6": [1], "SYSMSG": [1]})
    assert settings(module) == DEFAULTS | {"SYSMSG": "1"}
    module.send("AT+UART_CUR?")
    module.expect("+UART_CUR:115200,8,1,0,0⏎⏎OK⏎")


@BOARDS
def test_settings_of_the_radio_that_cannot_be(stored, board):
    """What this chip cannot have costs that one setting, and the module starts."""
    saved = {
        "CWMODE": [3],
        "CIPSTAMAC": ["15:00:00:00:00:01"],
        "CIPSTA": ["300.0.0.1", "10.0.0.1", "255.0.0.0"],
        "CWSTAPROTO": [2],
        "CWSAP": ["ESP", "short", 5, 3, 4, 0],
        "CIPAP": ["10.0.0", "10.0.0.1", "255.0.0.0"],
        "CIPAPMAC": ["mac"],
    }
    # To the ESP8266 these two mean nothing, but it may find them.
    if board == "esp32":
        saved["CWAPPROTO"] = [2]
    else:
        saved["CWBANDWIDTH"] = [0, 2, 2]
    ssid = {"esp32": "ESP_C0FFEF", "esp8266": "ESP_C0FFEE"}[board]
    module = stored(board, saved)
    play_transcript(
        module,
        f"""
        > AT+CWSAP?
        < +CWSAP:"{ssid}","",1,0,4,0⏎⏎OK⏎
        > AT+CIPAP?
        < +CIPAP:ip:"192.168.4.1"⏎+CIPAP:gateway:"192.168.4.1"⏎+CIPAP:netmask:"255.255.255.0"⏎⏎OK⏎
        > AT+CWDHCP?
        < +CWDHCP:3⏎⏎OK⏎
        > AT+CWSTAPROTO?
        < +CWSTAPROTO:7⏎⏎OK⏎
        """,
    )
    said = module.console()
    for name in set(saved) - {"CWMODE"}:
        assert f"settings: {name} cannot be used" in said, name
    assert "short" not in said


@BOARDS
def test_damaged_settings_on_a_full_flash(start, tmp_path, board):
    flash, damaged = tmp_path / "flash.img", tmp_path / "damaged"
    damaged.write_text('{"CWMODE": [3' * 20)
    write_flash(flash, build(board).files | {"/settings.json": damaged})
    files(flash, fill=True)
    module = start("--board", board, "--flash", flash)
    assert "settings: damaged" in module.console()
    assert settings(module) == DEFAULTS
    power_cycle(module)
    assert settings(module) == DEFAULTS
    assert module.console().count("damaged") == 1


@BOARDS
def test_a_store_of_a_newer_version(stored, board):
    store = {
        "FUTURE": [1, {"a": [None, "b"]}],
        "CWMODE": [3, 1, "new"],
        "UART_DEF": [9600, 8, 1, 0, 0, 7, 8],
        "CIPTCPOPT": [[0, 1, 2, 3, "new"]] * 6,
        "MORE": {},
    }
    module = stored(board, store)
    expected = {"CWMODE": "3", "UART_DEF": "9600,8,1,0,0", "CIPTCPOPT": "0,0,1,2"}
    assert settings(module) == DEFAULTS | expected
    module.command("AT+SYSMSG=2")
    module.command("AT+CWMODE=2")
    power_cycle(module)
    assert settings(module) == DEFAULTS | expected | {"CWMODE": "2", "SYSMSG": "2"}
    module.stop()
    # What was not changed is as the newer version wrote it.
    found = json.loads(files(module.flash)["settings.json"])
    assert found == store | {"CWMODE": [2, 1], "SYSMSG": [2]}


@BOARDS
def test_a_store_of_an_older_version(stored, board):
    module = stored(board, {"CWMODE": [3], "CWJAP": ["mpy-at", "12345678"]})
    module.match(r".*WIFI GOT IP\r\n")
    assert settings(module) == DEFAULTS | {"CWMODE": "3", "CWSTATE": '"mpy-at"'}
    module.send("AT+CWJAP?")
    module.match(r'\+CWJAP:"mpy-at",".*",\d+,-?\d+,0,1,3,0,0\r\n\r\nOK\r\n')


@BOARDS
def test_what_a_power_cut_has_left_behind(stored, board):
    module = stored(board, {"CWMODE": [3, 1]}, new='{"CWMODE": [2, 1')
    assert settings(module) == DEFAULTS | {"CWMODE": "3"}
    assert "settings" not in module.console()
    module.command("AT+SYSMSG=4")
    module.stop()
    found = files(module.flash)
    assert list(found) == ["settings.json"]
    assert json.loads(found["settings.json"]) == {"CWMODE": [3, 1], "SYSMSG": [4]}


@BOARDS
def test_restore_leaves_nothing_on_flash(stored, board):
    """Not even what was damaged: there may be passwords in it."""
    module = stored(board, {"CWMODE": [3, 1], "FUTURE": [1]}, new="{", bad='{"CWJAP": ["net", "secret"')
    module.send("AT+RESTORE")
    module.expect("⏎OK⏎⏎ready⏎")
    assert settings(module) == DEFAULTS
    module.stop()
    assert files(module.flash) == {}


@BOARDS
def test_full_flash(stored, start, board):
    """What cannot be saved is an ERROR. What was saved stays; in RAM holds what does not wait for the next start.

    For want of a place littlefs says ENOSPC, or of the name of a file, which has none either, ENAMETOOLONG."""
    store = {"CWMODE": [3, 1], "SYSMSG": [1], "FUTURE": ["secret" * 100]}
    module = stored(board, store)
    module.stop()
    assert list(files(module.flash, fill=True)) == ["settings.json"]
    module = start("--board", board, "--flash", module.flash)
    play_transcript(
        module,
        """
        > AT+SYSMSG=2
        < ⏎ERROR⏎
        > AT+SYSMSG=2
        < ⏎ERROR⏎
        > AT+SYSLOG=1
        < ⏎OK⏎
        > AT+CWJAP="mpy-at","12345678"
        ~ WIFI CONNECTED⏎WIFI GOT IP⏎ERR CODE:0x010a00(1c|24)⏎⏎ERROR⏎
        > AT+CIPDNS=1,"10.0.0.1"
        ~ ERR CODE:0x010a00(1c|24)⏎⏎ERROR⏎
        > AT+UART_DEF=9600,8,1,0,0
        ~ ERR CODE:0x010a00(1c|24)⏎⏎ERROR⏎
        > AT+CWAUTOCONN=0
        ~ ERR CODE:0x010a00(1c|24)⏎⏎ERROR⏎
        # What needs no place is not refused.
        > AT+CWMODE=3
        < ⏎OK⏎
        """,
    )
    now = {"CWMODE": "3", "SYSMSG": "2", "CWSTATE": '"mpy-at"', "CIPDNS": '1,"10.0.0.1"'}
    assert settings(module) == DEFAULTS | now
    power_cycle(module)
    assert settings(module) == DEFAULTS | {"CWMODE": "3", "SYSMSG": "1"}
    assert "secret" not in module.console()
    module.send("AT+RESTORE")
    module.match(r".*\r\nOK\r\n\r\nready\r\n")
    assert settings(module) == DEFAULTS


@BOARDS
def test_sysstore_0_keeps_what_is_changed_from_flash(stored, board):
    """Also when something else is saved later, and until the change is made again."""
    module = stored(board, {"CWMODE": [3, 1]})
    changes = {"SYSMSG": "2", "CWMODE": "1", "CIPDNS": '1,"10.0.0.1"', "CIPTCPOPT": "0,5,1,0", "CIPRECONNINTV": "9"}
    module.command("AT+SYSSTORE=0")
    for name, value in changes.items():
        module.command(f"AT+{name}={value.removeprefix('0,') if name == 'CIPTCPOPT' else value}")
    module.send('AT+CWJAP="mpy-at","12345678"')
    module.expect("WIFI CONNECTED⏎WIFI GOT IP⏎⏎OK⏎")
    # These have no choice.
    module.command("AT+CWAUTOCONN=0")
    module.command("AT+UART_DEF=9600,8,1,0,0")
    module.command("AT+SYSSTORE=1")
    module.command("AT+CIPRECONNINTV=8")
    now = changes | {"CIPRECONNINTV": "8", "CWAUTOCONN": "0", "UART_DEF": "9600,8,1,0,0", "CWSTATE": '"mpy-at"'}
    assert settings(module) == DEFAULTS | now
    power_cycle(module)
    saved = {"CWMODE": "3", "CIPRECONNINTV": "8", "CWAUTOCONN": "0", "UART_DEF": "9600,8,1,0,0"}
    assert settings(module) == DEFAULTS | saved
    # The same value as before, but now it is kept.
    module.send("AT+SYSMSG=2")
    answers(module)
    power_cycle(module)
    assert settings(module) == DEFAULTS | saved | {"SYSMSG": "2"}


@BOARDS
def test_a_network_that_is_not_saved_is_not_joined_again(start, board):
    networks = '[[ap]]\nssid = "kept"\n[[ap]]\nssid = "tried"\n'
    play_transcript(
        start("--board", board, wifi=networks),
        """
        > AT+CWJAP="kept"
        < WIFI CONNECTED⏎WIFI GOT IP⏎⏎OK⏎
        > AT+SYSSTORE=0
        < ⏎OK⏎
        > AT+CWJAP="tried"
        < WIFI DISCONNECT⏎WIFI CONNECTED⏎WIFI GOT IP⏎⏎OK⏎
        > AT+CWQAP
        < ⏎OK⏎WIFI DISCONNECT⏎
        > AT+CWJAP
        < WIFI CONNECTED⏎WIFI GOT IP⏎⏎OK⏎
        > AT+CWSTATE?
        < +CWSTATE:2,"tried"⏎⏎OK⏎
        > AT+SYSSTORE=1
        < ⏎OK⏎
        > AT+SYSMSG=0
        < ⏎OK⏎
        ! power cycle
        < ⏎ready⏎WIFI CONNECTED⏎WIFI GOT IP⏎
        > ATE0
        < ATE0⏎⏎OK⏎
        > AT+CWSTATE?
        < +CWSTATE:2,"kept"⏎⏎OK⏎
        """,
    )


@BOARDS
def test_passwords_stay_off_the_console(stored, board):
    """Whatever fails: joining, saving, reading what was saved."""
    module = stored(board, {"CWJAP": ["net", "hunter22", "?", 0, 1, 3, 0, 15, 0], "CWMODE": ["hunter22"]})
    module.command("AT+SYSLOG=1")
    for line in (
        'AT+CWJAP="mpy-at","hunter22"',
        'AT+CWJAP="nowhere","hunter22"',
        'AT+CWJAP="mpy-at","hunter22","hunter22"',
        'AT+CWJAP="mpy-at","hunter22',
        'AT+CWJAP="mpy-at",hunter22',
        f'AT+CWJAP="mpy-at","{"hunter22" * 9}"',
        'AT+CWJAP="mpy-at","hunter22",,,,,,"hunter22"',
        'AT+hunter22="hunter22"',
        "AT+CWJAP",
    ):
        module.send(line)
        said = module.match(r".*?ERR CODE:.*?\r\nERROR\r\n")[0]
        assert b"hunter22" not in said
    assert "hunter22" not in module.console()
    assert "settings: CWMODE" in module.console()
