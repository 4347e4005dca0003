"""What make size compares: figures may grow by 1 %; the largest free piece is told, and no more."""

from mpyat.size import grown

LARGEST = "largest free piece in the worst phase"


def test_what_has_grown():
    before = {"image": 1000, "idle": 200, LARGEST: 2048}
    assert grown(before, before) is None
    assert grown(before, {"image": 1010, "idle": 100, "new phase": 9, LARGEST: 4096}) is None
    assert grown(before, {"image": 1011, "idle": 203, LARGEST: 2000}) == (
        "size: image: 1011, it was 1000\nsize: idle: 203, it was 200"
    )
