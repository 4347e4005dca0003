"""URLs of web servers: taken apart for a request, and resolved against another one as RFC 3986 says (section 5)."""


def parse(url):
    """Whether it is TLS, the host as in a request, name and port of it, and the path with the query. ValueError if it
    is no URL."""
    scheme, host, path, query = _split(url)
    secure = (scheme or "").lower() == "https"
    name = host = host or ""
    port = "443" if secure else "80"
    if host.rfind(":") > host.rfind("]"):
        at = host.rfind(":")
        name, port = host[:at], host[at + 1 :]
    if name[:1] == "[" and name[-1] == "]":
        name = name[1:-1]
    wrong = not name or "@" in host or not port.isdigit() or len(port) > 5 or not 0 < int(port) < 65536
    for letter in url:
        wrong = wrong or not "!" <= letter <= "~"
    if wrong or not (secure or scheme.lower() == "http"):
        raise ValueError("not a URL: http:// or https://, and a host")
    return secure, host, name, int(port), (path or "/") + _queried(query)


def join(base, reference):
    """The URL that a reference means where the base is the URL of what it stands in; without a fragment."""
    scheme, host, path, query = _split(reference)
    base_scheme, base_host, base_path, base_query = _split(base)
    if scheme is None:
        scheme = base_scheme
        if host is None:
            host = base_host
            if not path:
                return scheme + "://" + host + base_path + _queried(base_query if query is None else query)
            if path[0] != "/":
                path = (base_path[: base_path.rfind("/") + 1] or "/") + path
    if host is None:  # of another kind, such as mailto:
        return reference
    return scheme + "://" + host + _without_dots(path) + _queried(query)


# What a scheme has in it; before another colon, it is none.
_OF_SCHEMES = "abcdefghijklmnopqrstuvwxyz0123456789+-."


def _split(url):
    """Scheme, host (with the port), path and query; what is not there is None, but a path is always there."""
    url = cut(url, "#")[0]
    query = scheme = host = None
    if "?" in url:
        url, query = cut(url, "?")
    before, after = cut(url, ":")
    if len(before) < len(url) and before[:1].isalpha() and not before.lower().strip(_OF_SCHEMES):
        scheme, url = before, after
    if url[:2] == "//":
        host = cut(url[2:], "/")[0]
        url = url[2 + len(host) :]
    return scheme, host, url, query


def _queried(query):
    return "" if query is None else "?" + query


def _without_dots(path):
    """The path without `.` and `..`."""
    parts = path.split("/")[1:]
    found = []
    for part in parts:
        if part == "..":
            found = found[:-1]
        elif part != ".":
            found.append(part)
    if parts and parts[-1] in (".", ".."):
        found.append("")
    return "/" + "/".join(found) if parts else ""


def cut(text, mark):
    """What is before the mark and what is behind it, which is nothing if there is none."""
    at = text.find(mark)
    return (text, text[:0]) if at < 0 else (text[:at], text[at + len(mark) :])
