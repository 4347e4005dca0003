"""Constants stand where they are used on the ESP8266; what is more than a constant stays."""

from mpyat.shrink.constants import spread

MESSAGES = 'OK = b"OK\\r\\n"\nHEAD, TAIL = 1, 2  # two\nNAME = "name"\n\n\nclass ATError(Exception):\n    code = TAIL\n'


def test_numbers_and_bytes_stand_where_they_are_used():
    user = "from firmware.at import messages\nfrom firmware.at.messages import TAIL, ATError\n\n\ndef f():\n"
    user += "    from firmware.at.messages import HEAD\n\n    return messages.OK, HEAD + TAIL, ATError\n"
    short = spread({"firmware/at/messages.py": MESSAGES, "firmware/user.py": user})
    assert short["firmware/at/messages.py"] == (
        'pass\npass  # two\nNAME = "name"\n\n\nclass ATError(Exception):\n    code = 2\n'
    )
    assert short["firmware/user.py"] == (
        "pass\nfrom firmware.at.messages import ATError\n\n\ndef f():\n    pass\n\n"
        "    return b'OK\\r\\n', 1 + 2, ATError\n"
    )


def test_a_module_that_is_used_for_more_stays_imported():
    user = "from firmware.at import messages\n\n\ndef f():\n    return messages.OK, messages.NAME\n"
    short = spread({"firmware/at/messages.py": MESSAGES, "firmware/user.py": user})
    assert short["firmware/user.py"] == user.replace("messages.OK", "b'OK\\r\\n'")


def test_a_package_is_a_module_too():
    sources = {"firmware/a/__init__.py": "X = 1\n", "firmware/b.py": "from firmware import a\n\nprint(a.X)\n"}
    assert spread(sources) == {"firmware/a/__init__.py": "pass\n", "firmware/b.py": "pass\n\nprint(1)\n"}


def test_what_is_changed_or_compared_by_identity_stays():
    for use in ("a.X = 2\n", "print(buffer is a.X)\n", "from firmware.a import X\n\nprint(X is not buffer)\n"):
        sources = {"firmware/a.py": 'X = b"x"\n', "firmware/b.py": "from firmware import a\n\n" + use}
        assert spread(sources) == sources
    twice = {"firmware/a.py": "X = 1\nX = 2\n\n\ndef f():\n    return X\n"}
    assert spread(twice) == twice


def test_names_that_others_set_or_ask_for_stay():
    sources = {"firmware/a.py": "X = 1\n", "firmware/b.py": "from firmware.a import X\n\nprint(X)\n"}
    assert spread(sources, closed={"firmware/a.py"}) == sources
    assert spread(sources, wanted={"X"}) == {"firmware/a.py": "X = 1\n", "firmware/b.py": "pass\n\nprint(1)\n"}


def test_const_needs_no_import():
    source = "from micropython import RingIO, const\n\n_X = const(1)\n"
    assert spread({"a.py": source})["a.py"] == source.replace(", const", "")
    source += "Y = const(2)\n"
    assert spread({"a.py": source})["a.py"] == source


def test_several_at_once_are_constants_too():
    source = "from micropython import const\n\n_A, _B = const(1), const(2)\nprint(_A | _B)\n"
    assert spread({"a.py": source})["a.py"] == "pass\n\npass\nprint(1 | 2)\n"
