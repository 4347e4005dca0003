"""Private names are shortened for the ESP8266: the same few in each module, and nothing that others can see."""

from mpyat.shorten import shorten

SOURCES = {
    "a.py": (
        "_LONG = 1\n\n\nclass A:\n    def _used_once(self, other):\n"
        "        return self._shared, other._used_once, __name__\n"
    ),
    "b.py": "def _helper(_):\n    return _.public, '_helper', _._shared, _helper  # _helper\n",
}


def test_names_of_one_module_become_short():
    short = shorten(SOURCES)
    assert short["a.py"] == (
        "_1 = 1\n\n\nclass A:\n    def _0(self, other):\n        return self._shared, other._0, __name__\n"
    )
    assert short["b.py"] == "def _0(_):\n    return _.public, '_helper', _._shared, _0  # _helper\n"


def test_a_class_and_its_base_do_not_take_each_others_names():
    base = "class Base:\n    def _run(self):\n        self._count = self._count + 1\n"
    derived = "from net.base import Base\n\n\nclass Derived(Base):\n    def _stop(self):\n        self._run()\n"
    short = shorten({"net/base.py": base, "net/derived.py": derived, **SOURCES})
    assert short["net/base.py"] == "class Base:\n    def _0(self):\n        self._1 = self._1 + 1\n"
    assert short["net/derived.py"] == derived.replace("_stop", "_2").replace("_run", "_0")
    assert short["b.py"] == shorten(SOURCES)["b.py"]
