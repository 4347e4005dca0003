"""What make size compares: figures may grow by 1 %; the largest free piece is told, and no more."""

from mpyat.size import grown, told

LARGEST = "largest free piece in the worst phase"


def test_what_has_grown():
    before = {"image": 1000, "idle": 200, LARGEST: 2048}
    assert grown(before, before) is None
    assert grown(before, {"image": 1010, "idle": 100, "new phase": 9, LARGEST: 4096}) is None
    assert grown(before, {"image": 1011, "idle": 203, LARGEST: 2000}) == (
        "size: image: 1011, it was 1000\nsize: idle: 203, it was 200"
    )


def test_what_another_version_prints():
    """The figures of `make size`, whose lines have more than the names."""
    said = (
        "image of the ESP8266: 1000 bytes\n\n    900  firmware.app\n\n"
        "heap of 38912 bytes; the 9 of the stand-ins are not counted\n\n"
        "   18984  idle after the start; MicroPython's own are 3928 of them\n"
        "   33576  TCP/IP: clock; the links are closed\n"
        f"    1648  {LARGEST} (TCP/IP: server)\n"
    )
    assert told(said) == {"image": 1000, "idle": 18984, "TCP/IP: clock; the links are closed": 33576, LARGEST: 1648}
