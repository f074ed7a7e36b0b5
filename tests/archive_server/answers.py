"""What a part of the server answers: a status, headers and a body."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

HTML: Final = "text/html; charset=utf-8"
PAGE: Final = b"<!DOCTYPE html>\n<html><head><title>NASA Science</title></head><body><h1>Mars</h1></body></html>\n"
"""What comes where an archive has lost its way: a page for people, often with status 200."""
HEROKU: Final = (
    b"<!DOCTYPE html>\n<html>\n<head><title>No such app</title></head>\n<body>"
    b'<iframe src="//www.herokucdn.com/error-pages/no-such-app.html"></iframe></body>\n</html>\n'
)


@dataclass(frozen=True)
class Answer:
    """One answer, its length header aside."""

    status: int = 200
    body: bytes = b""
    content_type: str = "application/json; charset=utf-8"
    headers: Mapping[str, str] = field(default_factory=dict)


def as_json(value: object, host: str = "", status: int = 200, headers: Mapping[str, str] | None = None) -> Answer:
    """Return an answer of JSON, with the server's own address in every link."""
    return Answer(status, json.dumps(value).replace("@HOST@", host).encode(), headers=headers or {})


def page(status: int = 200, body: bytes = PAGE) -> Answer:
    """Return a page of HTML."""
    return Answer(status, body, HTML)


def redirect(location: str) -> Answer:
    """Return a redirect, its body a page for people as web servers send it."""
    return Answer(302, b'<html><body><a href="">Found</a></body></html>', HTML, {"Location": location})
