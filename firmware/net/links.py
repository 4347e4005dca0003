"""The table of links: up to five connections, each with an id. They know nothing of AT: a listener is told what
happens (`readable(link)`, `closed(link)`), reads the data when it has a place for them, and closes what has ended."""

LINKS = 5
CLIENT, SERVER = 0, 1


class Links:
    """The table of links by id. `listener` is told of data and of ends; `multiple` is AT+CIPMUX.

    `spare()` makes room in memory before a link is made, if there is little."""

    def __init__(self, loop, spare):
        self.loop = loop
        self.spare = spare
        self.listener = None
        self.multiple = False
        self.used = False  # whether any link was ever open, which CIPSTATUS tells
        self.table = [None] * LINKS
        self.server = None
        self.kept = bytearray(LINKS)  # 1 for each link of TCP that stays when the network goes (AT+CIPCONNPERSIST)
        # Of each link: SO_LINGER, TCP_NODELAY, SO_SNDTIMEO (ms), keep-alive (s), as AT+CIPTCPOPT has them.
        self.options = [(-1, 0, 0, 0)] * LINKS

    def set_options(self, number, values):
        """Changes the options of a link, now if it is open; None leaves one as it is."""
        old = self.options[number]
        # A new list, as the old one may be what the settings hold, and compare with.
        self.options = list(self.options)
        self.options[number] = tuple([old[i] if value is None else value for i, value in enumerate(values)])
        link = self.get(number)
        if link and not link.datagrams:
            link.tune()

    def any(self):
        return any(self.table)

    def lowest_free(self):
        """The id that the next link takes, or None."""
        for i in range(LINKS):
            if not self.table[i]:
                return i
        return None

    def get(self, number):
        """The open link with this id, or None."""
        link = self.table[number]
        return link if link and link.open else None

    def end(self, link):
        """Closes a link because its connection is over, by way of the listener, who tells of it.

        What its box keeps can still be read: then only the connection is closed, and the link ends after that."""
        if link.box and link.box.waiting():
            link.box.ended = True
            link.disconnect()
            return
        self.listener.closed(link)

    def end_all(self, stays=None):
        """Closes the links because the network is gone, but for those that are to outlive that.

        `stays(ip)` tells whether a peer is in another network."""
        for link in self.table:
            if link and link.open:
                if stays and stays(link.ip):
                    continue
                if link.datagrams or not self.kept[link.number]:
                    self.end(link)
            elif link:
                link.close()
