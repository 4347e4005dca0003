"""Updates between versions whose files are laid out otherwise: on an ESP32 this version has several modules in one
file, where earlier ones had a file for each."""

import bundles
import pytest
from flashimage import contents, switch_off
from mpyat import bundle, signing
from mpyat.shrink import WITHOUT
from test_update import STEPS, restarted, server, slots, version  # noqa: F401  one is a fixture


@pytest.mark.parametrize("layouts", [("", "themes"), ("themes", "")], ids=["from several", "from one each"])
def test_each_slot_has_the_files_of_its_bundle(start, server, monkeypatch, tmp_path, layouts):  # noqa: F811
    """And nothing else, after updates to the other layout and back again."""

    def made(number, without):
        monkeypatch.setenv(WITHOUT, without)
        return bundle.make("esp32", signing.private(bundles.key()), number)

    flash, (own, other) = tmp_path / "flash.img", layouts
    made_of = {
        number: made(number, without) for number, without in (("9.0.0", other), ("9.0.1", own), ("9.0.2", other))
    }
    assert bundles.files(made_of["9.0.0"]).keys() != bundles.files(made_of["9.0.1"]).keys()
    monkeypatch.setenv(WITHOUT, own)
    module = start("--update-key", bundles.public(), "--flash", flash)
    module.join()
    module.command(f'AT+MPYUPDATE="{server.url}"')
    for number, data in made_of.items():
        server.publish(data, number)
        module.send("AT+CIUPDATE")
        module.expect(f"{STEPS}⏎OK⏎")
        restarted(module)
        assert version(module) == number
        module.command("AT+CIPMUX=1")
    assert slots(module) == '1,"9.0.2",0,"9.0.1"'
    switch_off(module)
    there = next(contents(flash))
    for slot, number in (("/b/firmware/", "9.0.2"), ("/firmware/", "9.0.1")):
        files = {path[path.index("firmware/") :]: data for path, data in there.items() if path.startswith(slot)}
        assert files == bundles.files(made_of[number])
