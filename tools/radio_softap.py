"""The stations on the simulated chip's softAP: who is there, and the addresses that its DHCP server has given them.
They come and go by the control socket, not by themselves."""

import ipaddress

# Seconds from joining to having an address.
_LEASE_TIME = 0.05


class Refused(Exception):
    """The softAP does not let a station in; the message says why."""


class Stations:
    """What is known of each station, by its MAC address; the softAP's settings and address are those of `radio`."""

    def __init__(self, clock):
        self._clock = clock
        self._joined = {}  # MAC address -> when, or None for one that brings its own address
        self._leases = {}

    def __len__(self):
        return len(self._joined)

    def join(self, mac, most, own_address):
        if mac not in self._joined and len(self._joined) >= most:
            raise Refused("the softAP has no place left")
        self._joined[mac] = None if own_address else self._clock()

    def leave(self, mac):
        """False if the station was not there."""
        if mac not in self._joined:
            return False
        del self._joined[mac]
        return True

    def gone(self):
        """The softAP is off, or another than it was: all have to join anew. A lease is for longer than that."""
        self._joined.clear()

    def moved(self):
        """The softAP has another address, and so will the stations."""
        self._leases.clear()
        for mac, since in self._joined.items():
            if since is not None:
                self._joined[mac] = self._clock()

    def listed(self, address, netmask):
        """Pairs of each station's MAC address and IP address, None where the softAP has given it none."""
        network = ipaddress.IPv4Network(f"{address}/{netmask}", strict=False)
        return [(mac, self._lease(mac, since, address, network)) for mac, since in self._joined.items()]

    def _lease(self, mac, since, address, network):
        if since is None or self._clock() - since < _LEASE_TIME:
            return None
        if mac not in self._leases:
            # The server begins behind the softAP's own address.
            taken = {*self._leases.values(), address}
            after = (str(host) for host in network.hosts() if host > ipaddress.IPv4Address(address))
            self._leases[mac] = next(host for host in after if host not in taken)
        return self._leases[mac]
