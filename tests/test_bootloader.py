"""The simulated bootloader chooses between programs in the flash as that of ESP-IDF does, with the way back enabled."""

import pytest
from mpyat.bootloader import Bootloader


class Flash:
    """Counts what is written; the power goes after so many writes."""

    def __init__(self):
        self.writes, self.left, self.damaged = 0, None, set()

    def change(self, function):
        function()
        self.writes += 1
        if self.left is None:
            return True
        self.left -= 1
        return self.left > 0


@pytest.fixture
def flash():
    return Flash()


@pytest.fixture
def loader(flash):
    loader = Bootloader(["ota_0", "ota_1"], True, lambda label: label not in flash.damaged, flash.change)
    loader.start()
    return loader


def restarted(loader):
    loader.start()
    return loader.running


def test_a_program_has_one_start_to_be_called_valid(loader):
    assert (loader.running, loader.boot(), loader.next("ota_0")) == ("ota_0", "ota_0", "ota_1")
    loader.set_boot("ota_1")
    assert (loader.running, loader.boot()) == ("ota_0", "ota_1")
    assert [restarted(loader) for _ in range(3)] == ["ota_1", "ota_0", "ota_0"]
    loader.set_boot("ota_1")
    assert restarted(loader) == "ota_1"
    loader.mark_valid()
    assert [restarted(loader) for _ in range(3)] == ["ota_1", "ota_1", "ota_1"]
    # Back again it is new, too, although it was valid before.
    loader.set_boot("ota_0")
    assert [restarted(loader) for _ in range(3)] == ["ota_0", "ota_1", "ota_1"]


def test_what_is_chosen_again_is_new(loader, flash):
    loader.set_boot("ota_0")
    assert (restarted(loader), flash.writes) == ("ota_0", 2)
    loader.mark_valid()
    loader.mark_valid()
    assert flash.writes == 4


def test_what_is_damaged_is_passed_over_and_not_chosen(loader, flash):
    loader.set_boot("ota_1")
    flash.damaged = {"ota_1"}
    assert (restarted(loader), loader.boot()) == ("ota_0", "ota_1")
    with pytest.raises(OSError, match="ESP_ERR_OTA_VALIDATE_FAILED"):
        loader.set_boot("ota_1")


@pytest.mark.parametrize(("writes", "then"), [(1, "ota_0"), (2, "ota_1")])
def test_the_power_goes_while_it_is_told(loader, flash, writes, then):
    """A record is erased before it is written; the other one stays."""
    flash.left = writes
    assert not loader.set_boot("ota_1")
    assert restarted(loader) == then
    if then == "ota_1":
        flash.left = 1
        assert not loader.mark_valid()
        assert restarted(loader) == "ota_0"


def test_one_program_alone(flash):
    loader = Bootloader(["factory"], False, lambda label: True, flash.change)
    loader.start()
    assert loader.running == "factory"
    for call in (loader.boot, loader.mark_valid, lambda: loader.next("factory"), lambda: loader.set_boot("factory")):
        with pytest.raises(OSError):
            call()
    assert not flash.writes
