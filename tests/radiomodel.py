"""A model of the radio: what the host has to hear, in its order, for each step of a walk over the bench.
The steps are what a host and a person at the bench do; a walk takes those that make sense where it stands."""

HOME = ("02:00:00:00:00:01", "02:00:00:00:00:02")
# Two access points of one network, and another network; none takes long.
NETWORKS = "".join(
    f'[[ap]]\nssid = "{ssid}"\npassword = "12345678"\nbssid = "{bssid}"\nchannel = {channel}\nrssi = {rssi}\n'
    "join_ms = 10\n"
    for ssid, bssid, channel, rssi in (
        ("home", HOME[0], 1, -70),
        ("home", HOME[1], 11, -30),
        ("work", "02:00:00:00:00:03", 6, -50),
    )
)
_WORK = "02:00:00:00:00:03"
# What AT+CWJAP? shows of each.
_SHOWN = {HOME[0]: "1,-70", HOME[1]: "11,-30", _WORK: "6,-50"}
# Which of the two the chip takes, of those that are there: the first that it meets, or the strongest.
_CHOICE = {"esp32": HOME, "esp8266": HOME[::-1]}
_JOINED = "WIFI CONNECTED⏎WIFI GOT IP⏎"
_OK = "⏎OK⏎"
_LINKS, _GUESTS = 5, 4


class Model:
    """What is so at the moment, of a module on a board; a server for its links listens at `port`. `steps()` names the
    methods that are steps and make sense now."""

    def __init__(self, module, board, dice, port):
        self.module, self.board, self.dice, self.port = module, board, dice, port
        self.say, self.hear = module.send, module.expect
        self.up = {"home": list(HOME), "work": [_WORK]}
        self.addresses = 1
        self.mode = 1
        self.saved = None
        self.saved_interval = None
        self.power_on()

    def power_on(self):
        """What is so after each start, before any network is joined."""
        self.target, self.ap, self.state = "", None, 0
        self.again = False
        self.interval = 1 if self.saved_interval is None else self.saved_interval
        self.reason = None  # why joining failed last: an ESP32 takes seconds to believe the same again
        self.links, self.stations, self.leases = set(), {}, {}

    # What the steps have in common

    def closed(self):
        """What is heard of the links when they are over."""
        lines = "".join(f"{number},CLOSED⏎" for number in sorted(self.links))
        self.links = set()
        return lines

    def left(self):
        """What is heard when the station's network goes."""
        lines = self.closed() + ("WIFI DISCONNECT⏎" if self.ap else "")
        self.ap = None
        return lines

    def attempt(self, ssid):
        """The station looks for a network: what is heard then."""
        self.target = ssid
        self.ap = next((bssid for bssid in _CHOICE[self.board] if bssid in self.up[ssid]), None)
        self.ap = self.ap or next(iter(self.up[ssid]), None)
        self.state = 2 if self.ap else 4
        self.reason = None if self.ap else "missing"
        return _JOINED if self.ap else ""

    def restarted(self):
        """What follows `ready`: the saved network, then what the host sends at each start."""
        self.power_on()
        if self.mode & 1 and self.saved:
            self.again = True
            self.hear(self.attempt(self.saved))
        self.say("ATE0")
        self.hear("ATE0" + "⏎" + _OK)
        self.command("AT+CIPMUX=1")
        self.given_up()

    def given_up(self):
        """Waits for the end of an attempt that nothing follows."""
        while self.again and not self.ap and not self.waits():
            self.say("AT+CWSTATE?")
            if self.module.match('\\+CWSTATE:([34]),"[a-z]+"⏎⏎OK⏎')[1] == b"4":
                break

    def command(self, line, before="", after=""):
        self.say(line)
        self.hear(before + _OK + after)

    def bench(self, line):
        answer = self.module.control(line)
        assert answer == "ok", answer

    def waits(self):
        """Whether the station will come back by itself."""
        return bool(self.mode & 1 and self.again and self.interval and not self.ap)

    def steps(self):
        """The names of those that make sense now."""
        station, new = self.mode & 1, self.board == "esp8266" or self.reason is None
        there = any(self.up.values())
        gone = not all(self.up.values()) or len(self.up["home"]) < len(HOME)
        weights = {
            "join": station and there and (1 if self.ap else 4),
            "wrong": station and there and new,
            "missing": station and new,
            "leave": station,
            "link": bool(self.ap) and len(self.links) < _LINKS and 3,
            "lose": bool(self.ap) and 3,
            "come_back": gone and (6 if self.waits() else 2),
            "move": bool(self.ap),
            "set_interval": station and not self.waits() and (6 if self.again and not self.ap else 2),
            "guest_comes": self.mode & 2 and len(self.stations) < _GUESTS and 3,
            "guest_goes": bool(self.stations) and 2,
            "guests_go": bool(self.stations),
            "switch": 2 if station and self.mode & 2 else 4,
            "sleep": bool(self.mode),
            self.dice.choice(("reset", "deep_sleep")): 1,
            "look": 2,
        }
        return [name for name, weight in weights.items() for _ in range(int(bool(weight) and weight))]

    def join(self):
        ssid = self.dice.choice([ssid for ssid, there in self.up.items() if there])
        before = self.left()
        self.again, self.interval, self.saved = False, 1, ssid
        if self.saved_interval is not None:
            self.saved_interval = 1
        self.command(f'AT+CWJAP="{ssid}","12345678"', before + self.attempt(ssid))

    def wrong(self):
        self._fail(self.dice.choice([ssid for ssid, there in self.up.items() if there]), 2, "wrong")

    def missing(self):
        self._fail("nowhere", 3, "missing")

    def _fail(self, ssid, code, reason):
        before = self.left()
        self.again, self.interval, self.target, self.state, self.reason = False, 1, ssid, 4, reason
        self.say(f'AT+CWJAP="{ssid}","wrong678"')
        self.hear(f"{before}+CWJAP:{code}⏎⏎ERROR⏎")

    def leave(self):
        if self.ap:
            self.state = 4
        self.again = False
        self.command("AT+CWQAP", after=self.left())

    def link(self):
        number = min(set(range(_LINKS)) - self.links)
        self.links.add(number)
        self.command(f'AT+CIPSTART={number},"TCP","127.0.0.1",{self.port}', f"{number},CONNECT⏎")

    def lose(self):
        self.bench(f"ap down {self.target}")
        self.up[self.target] = []
        self.again, self.state, self.reason = True, 4, "missing"
        self.hear(self.left())

    def come_back(self):
        """An access point is there again; of two, the one or the other."""
        away = [bssid for bssid in HOME if bssid not in self.up["home"]]
        if not self.up["work"]:
            away.append(_WORK)
        bssid = self.dice.choice(away)
        ssid = "home" if bssid in HOME else "work"
        self.bench(f"ap up {bssid}")
        self.up[ssid].append(bssid)
        if self.waits() and self.target == ssid:
            self.hear(self.attempt(ssid))

    def move(self):
        """The network gives another address: links are over, the network is not."""
        self.addresses += 1
        self.bench(f"ap address 127.0.1.{self.addresses} {self.target}")
        self.hear(self.closed() + "WIFI GOT IP⏎")

    def set_interval(self):
        # Where it is joined more often the one after which it does not come back.
        self.interval = self.saved_interval = self.dice.choice((0, 0, 1) if self.ap else (0, 1))
        self.command(f"AT+CWRECONNCFG={self.interval},1000")
        if self.waits() and self.up[self.target]:
            self.hear(self.attempt(self.target))

    def guest_comes(self):
        mac = self.dice.choice([mac for mac in (f"02:00:00:00:01:0{n}" for n in range(6)) if mac not in self.stations])
        self.bench(f"station join {mac}")
        self.stations[mac] = self.leases.setdefault(mac, f"192.168.4.{2 + len(self.leases)}")
        self.hear(f'+STA_CONNECTED:"{mac}"⏎+DIST_STA_IP:"{mac}","{self.stations[mac]}"⏎')

    def guest_goes(self):
        mac = self.dice.choice(list(self.stations))
        self.bench(f"station leave {mac}")
        del self.stations[mac]
        self.hear(f'+STA_DISCONNECTED:"{mac}"⏎')

    def guests_go(self):
        self.command("AT+CWQIF", self._guests_gone())

    def _guests_gone(self):
        lines = "".join(f'+STA_DISCONNECTED:"{mac}"⏎' for mac in self.stations)
        self.stations = {}
        return lines

    def switch(self):
        before, after, mode = "", "", self.dice.randrange(4)
        gone, come = self.mode & ~mode, mode & ~self.mode
        if gone & 1:
            before = self.left()
            self.again, self.state = False, 0
        if gone & 2:
            before += self._guests_gone()
        self.mode = mode
        if come & 1 and self.saved:
            self.again = True
            after = self.attempt(self.saved)
        self.command(f"AT+CWMODE={mode}", before, after)
        self.given_up()

    def sleep(self):
        """Modem sleep, which is for the station alone."""
        self.say("AT+SLEEP=1")
        self.hear("⏎ERROR⏎" if self.mode & 2 else _OK)

    def reset(self):
        self.say("AT+RST")
        self.hear("⏎OK⏎⏎ready⏎")
        self.restarted()

    def deep_sleep(self):
        self.say("AT+GSLP=20")
        self.hear("20⏎⏎OK⏎⏎ready⏎")
        self.restarted()

    def look(self):
        """The module knows what the model does."""
        state = "[34]" if self.waits() else self.state
        self.say("AT+CWSTATE?")
        self.module.match(f'\\+CWSTATE:{state},"{self.target}"⏎⏎OK⏎')
        shown = f'+CWJAP:"{self.target}","{self.ap}",{_SHOWN[self.ap]},0,{self.interval},3,0,0⏎' if self.ap else ""
        self.command("AT+CWJAP?", shown)
        if self.mode & 2:
            self.command("AT+CWLIF", "".join(f"+CWLIF:{ip},{mac}⏎" for mac, ip in self.stations.items()))
