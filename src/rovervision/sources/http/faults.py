"""What went wrong, in the words of FetchError: from statuses and from exceptions of the network library."""

import re
from typing import Final

import requests
from urllib3.exceptions import HTTPError, ReadTimeoutError

from rovervision.sources.http.transport import FailureReason, FetchError

_RETRIED_STATUSES: Final = frozenset({408, 425, 429, 500, 502, 503, 504})
_REASONS: Final[dict[int, FailureReason]] = {
    404: "not_found",
    410: "not_found",
    408: "timeout",
    425: "busy",
    429: "busy",
    503: "busy",
}
_WORDS: Final[dict[FailureReason, str]] = {
    "not_found": "has no such file",
    "refused": "refuses the request",
    "busy": "is busy",
    "timeout": "took too long to read the request",
    "server_error": "failed to answer",
    "unexpected_answer": "gave an answer that was not asked for",
}
_HTML_HEAD_BYTES: Final = 1024
_HTML_START: Final = re.compile(rb"(?:\xef\xbb\xbf)?\s*<(?:!doctype\s+html|html|head|body)\b", re.IGNORECASE)
_HTML_WITHIN: Final = re.compile(rb"(?:\xef\xbb\xbf)?\s*<[?!].*?<html\b", re.IGNORECASE | re.DOTALL)


def status_fault(status: int, host: str) -> FetchError:
    """Return the error for an answer that is neither 2xx nor a redirect."""
    usual: FailureReason = (
        "server_error" if status >= 500 else "refused" if 400 <= status < 500 else "unexpected_answer"
    )
    reason = _REASONS.get(status, usual)
    return FetchError(reason, f"{host} {_WORDS[reason]} (HTTP {status}).", may_pass=status in _RETRIED_STATUSES)


def network_fault(error: requests.RequestException, host: str) -> FetchError:
    """Return the error for a request that had no answer."""
    is_silence = isinstance(error, requests.Timeout) and not isinstance(error, requests.ConnectionError)
    if is_silence or "read timed out" in str(error).lower():
        return _silence(host)
    if isinstance(error, requests.ConnectionError):
        return _unreachable(host, _cause(error))
    return FetchError("unexpected_answer", f"The exchange with {host} failed: {type(error).__name__}.")


def stream_fault(error: HTTPError, host: str) -> FetchError:
    """Return the error for an answer that broke off."""
    if isinstance(error, ReadTimeoutError):
        return _silence(host)
    return FetchError("truncated", f"The answer of {host} broke off.")


def looks_like_html(body: bytes) -> bool:
    """Tell a page for people by its first bytes; a byte order mark and white space may precede."""
    head = body[:_HTML_HEAD_BYTES]
    return bool(_HTML_START.match(head) or _HTML_WITHIN.match(head))


def html_fault(host: str) -> FetchError:
    """Return the error for a web page that stands in for what was asked."""
    return FetchError("html_page", f"{host} answered with a web page instead.")


def _silence(host: str) -> FetchError:
    return FetchError("timeout", f"{host} fell silent for too long.")


def _unreachable(host: str, cause: str) -> FetchError:
    return FetchError(
        "unreachable",
        f"{host} cannot be reached: {cause}. Check the network connection (and HTTPS_PROXY, where one is needed), "
        "then run the same command again: what is whole is kept.",
    )


def _cause(error: requests.ConnectionError) -> str:
    """Return the cause in plain words; some stand only in the error's text."""
    for kind, cause in (
        (requests.exceptions.SSLError, "a secure connection cannot be made"),
        (requests.exceptions.ProxyError, "the proxy does not let the request through"),
        (requests.exceptions.ConnectTimeout, "nothing answers there"),
    ):
        if isinstance(error, kind):
            return cause
    text = str(error)
    for sign, cause in (
        ("NameResolution", "its name is not found"),
        ("getaddrinfo", "its name is not found"),
        ("refused", "the connection is refused"),
        ("unreachable", "there is no route to it"),
        ("reset", "the connection is cut"),
        ("aborted", "the connection is cut"),
    ):
        if sign in text:
            return cause
    return "no connection could be made"
