#!/usr/bin/env python3
"""A client of Lodge's External API in one file, with nothing but Python's standard library (3.9 or newer).

As a program it prints the dashboard and the open tickets of the key's agent:

    LODGE_URL=http://127.0.0.1:8080 LODGE_KEY=lodge_ext_... python3 examples/lodge_client.py

Without the two variables it talks to `lodge demo`, with the published demo key of Mira Kessler. As a module:

    from lodge_client import Lodge, TicketLocked, ValidationFailed

    desk = Lodge("http://127.0.0.1:8080", key)
    for ticket in desk.tickets(status="open", sort="-priority"):
        print(ticket["reference_id"], ticket["title"])
    desk.reply(42, "Fixed in 4.2.1, which is out now.")

What it takes off your hands:

* Lists are generators that follow the `Link` header from page to page, one page in memory at a time.
* A refusal is an exception with the API's stable `code`, its message, the wrong fields and the request id.
* Every POST carries an `Idempotency-Key`, so that one whose answer was lost is sent again and still done once.
* 429 and 503 are waited for, as long as `Retry-After` says, a few times.
* A ticket read twice is asked for with its `ETag`; while it is unchanged, the copy kept here is the answer.
"""

from __future__ import annotations

import json
import os
import re
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
import uuid
from http.client import HTTPException
from typing import Any, Iterator, NamedTuple, Optional

__all__ = [
    "Lodge",
    "LodgeError",
    "Unauthorized",
    "Forbidden",
    "TicketLocked",
    "NotFound",
    "PreconditionFailed",
    "ValidationFailed",
    "RateLimited",
    "Unavailable",
]

BASE = "/api/v1/external"
DEMO_KEY = "lodge_ext_q3nWFhlXIIDZ4Ai5JMQCeQH3IzdRXUpVxxsJULi4RLM4c0lOP"


class LodgeError(Exception):
    """A refusal. `code` is stable and made for programs, `message` is for people."""

    def __init__(self, status: int, code: str, message: str, errors: dict[str, list[str]], request_id: str):
        self.status = status
        self.code = code
        self.message = message
        self.errors = errors
        self.request_id = request_id
        fields = "".join(f"; {name}: {', '.join(what)}" for name, what in sorted(errors.items()))
        super().__init__(f"{status} {code}: {message}{fields} (request {request_id})")


class Unauthorized(LodgeError):
    """The key is missing or invalid, or its agent is not active."""


class Forbidden(LodgeError):
    """The key is good, and still may not do this."""


class TicketLocked(Forbidden):
    """The ticket is locked: nobody but an administrator writes to it."""


class NotFound(LodgeError):
    """There is no such thing, or this agent does not see it: on purpose the same answer."""


class PreconditionFailed(LodgeError):
    """The ticket has changed since the version named in `if_match`. Read it again and decide again."""


class ValidationFailed(LodgeError):
    """Something in the request is wrong; `errors` names every wrong field."""


class RateLimited(LodgeError):
    """Too many requests, also after waiting."""


class Unavailable(LodgeError):
    """The server is busy or going down, also after waiting."""


_BY_STATUS = {
    401: Unauthorized,
    403: Forbidden,
    404: NotFound,
    412: PreconditionFailed,
    422: ValidationFailed,
    429: RateLimited,
    503: Unavailable,
}
_BY_CODE = {"ticket_locked": TicketLocked}


class Answer(NamedTuple):
    """An answer: its status, its headers (names in lower case) and its JSON, if it has any."""

    status: int
    headers: dict[str, str]
    json: Any


class Ticket(dict):
    """A ticket as the API shows it, and in `etag` the version of it."""

    etag: Optional[str] = None


class _Plain(urllib.request.HTTPRedirectHandler):
    """Follows no redirect: a key must not travel to where a redirect points."""

    def redirect_request(self, *_: Any) -> None:
        return None


class Lodge:
    """An agent's desk. `url` is where Lodge is, without a path; `key` is an external API key."""

    def __init__(self, url: str, key: str, timeout: float = 30.0, attempts: int = 5, longest_wait: float = 60.0):
        self._origin = url.rstrip("/")
        self._key = key
        self._timeout = timeout
        self._attempts = attempts
        self._longest_wait = longest_wait
        self._opener = urllib.request.build_opener(_Plain)
        self._seen: dict[int, Ticket] = {}

    # Tickets

    def tickets(self, **filters: Any) -> Iterator[dict]:
        """The tickets the agent sees. Filters: status, priority, department_id, q, sort, per_page."""
        return self._pages(f"{BASE}/tickets", filters)

    def ticket(self, id: int) -> Ticket:
        """One ticket. While it is unchanged on the server, this costs a 304 and no body."""
        known = self._seen.get(id)
        headers = {"If-None-Match": known.etag} if known and known.etag else {}
        answer = self._send("GET", f"{BASE}/tickets/{id}", headers=headers)
        if answer.status == 304 and known is not None:
            return known
        return self._keep(answer)

    def update_ticket(self, id: int, if_match: Optional[str] = None, **changes: Any) -> Ticket:
        """Changes status, priority or labels. With `if_match=ticket.etag`: only if nobody changed it meanwhile."""
        headers = {"If-Match": if_match} if if_match else {}
        return self._keep(self._send("PUT", f"{BASE}/tickets/{id}", body=changes, headers=headers))

    def close(self, id: int) -> dict:
        """Closes a ticket. Closing a closed one changes nothing."""
        return self._post(f"{BASE}/tickets/{id}/close")

    # Conversations

    def messages(self, ticket_id: int, newest_first: bool = False, per_page: int = 100) -> Iterator[dict]:
        """The messages under a ticket, internal notes included. The opening text is the ticket's `content`."""
        order = "desc" if newest_first else "asc"
        return self._pages(f"{BASE}/tickets/{ticket_id}/messages", {"order": order, "per_page": per_page})

    def reply(self, ticket_id: int, content: str, internal: bool = False, once: Optional[str] = None) -> dict:
        """Writes a reply, or a note that the customer never sees.

        `once` is the Idempotency-Key. Leave it out, and this call is safe against a lost answer. Give one of your own,
        made of what causes the message, and the message is also written once if your program runs twice in a day.
        """
        body = {"content": content, "is_internal": internal}
        return self._post(f"{BASE}/tickets/{ticket_id}/messages", body, once)

    def toggle_like(self, ticket_id: int, message_id: int) -> dict:
        """Likes a message or takes the like back: {"liked": …, "count": …}."""
        return self._post(f"{BASE}/tickets/{ticket_id}/messages/{message_id}/like")

    # Everything else

    def dashboard(self) -> dict:
        """The desk at a glance."""
        return self._get("/dashboard")

    def labels(self) -> list[dict]:
        """The labels that tickets can be given."""
        return self._get("/labels")

    def departments(self) -> list[dict]:
        """The departments that tickets can be filtered by."""
        return self._get("/departments")

    def canned_responses(self) -> list[dict]:
        """The answers written once and used often."""
        return self._get("/canned-responses")

    def search_knowledge_base(self, q: str) -> list[dict]:
        """The published articles, at most twenty, that contain every word of `q`."""
        return self._get("/knowledge-base/search", {"q": q})

    def profile(self) -> dict:
        """The agent."""
        return self._get("/profile")

    def update_profile(self, **changes: Any) -> dict:
        """Changes name, phone, locale or notification_settings. None clears phone and locale."""
        return self._send("PUT", f"{BASE}/profile", body=changes).json["data"]

    def notifications(self, unread: bool = False, per_page: int = 100) -> Iterator[dict]:
        """What the agent was told, newest first."""
        filters: dict[str, Any] = {"per_page": per_page}
        if unread:
            filters["unread"] = "true"
        return self._pages(f"{BASE}/notifications", filters)

    def unread_count(self) -> int:
        """How many notifications are unread."""
        return self._get("/notifications/unread-count")["unread_count"]

    def mark_read(self, id: int) -> dict:
        """Marks a notification as read."""
        return self._post(f"{BASE}/notifications/{id}/read")

    def mark_all_read(self) -> int:
        """Marks every notification as read and says how many were not."""
        return self._post(f"{BASE}/notifications/read-all")["marked"]

    # How it is done

    def _get(self, path: str, query: Optional[dict[str, Any]] = None) -> Any:
        return self._send("GET", BASE + path, query).json["data"]

    def _post(self, path: str, body: Any = None, once: Optional[str] = None) -> Any:
        headers = {"Idempotency-Key": once or str(uuid.uuid4())}
        return self._send("POST", path, body=body, headers=headers).json["data"]

    def _pages(self, path: str, query: dict[str, Any]) -> Iterator[dict]:
        answer = self._send("GET", path, query)
        while True:
            yield from answer.json["data"]
            # Path-absolute, so it is right behind any proxy; the query is in it already.
            following = _links(answer.headers.get("link", "")).get("next")
            if following is None:
                return
            answer = self._send("GET", following)

    def _keep(self, answer: Answer) -> Ticket:
        ticket = Ticket(answer.json["data"])
        ticket.etag = answer.headers.get("etag")
        self._seen[ticket["id"]] = ticket
        return ticket

    def _send(
        self,
        method: str,
        path: str,
        query: Optional[dict[str, Any]] = None,
        body: Any = None,
        headers: Optional[dict[str, str]] = None,
    ) -> Answer:
        """Sends a request until it is answered for good. The one place that talks to the network."""
        url = self._origin + path
        if query:
            url += "?" + urllib.parse.urlencode(query)
        data = None if body is None else json.dumps(body).encode()
        sent = {"X-API-KEY": self._key, "Accept": "application/json", **(headers or {})}
        if data is not None:
            sent["Content-Type"] = "application/json"
        # Sent twice is not done twice: reads, changes that say what shall be, and POSTs with an Idempotency-Key.
        # A PUT under If-Match would refuse its own repeat, so a lost answer to one is for the caller to look into.
        repeatable = "If-Match" not in sent
        for attempt in range(1, self._attempts + 1):
            last = attempt == self._attempts
            request = urllib.request.Request(url, data=data, headers=sent, method=method)
            try:
                answer = self._once(request)
            except (HTTPException, OSError):
                if last or not repeatable:
                    raise
                time.sleep(min(0.5 * 2 ** (attempt - 1), self._longest_wait))
                continue
            if answer.status < 400:
                return answer
            error = _error(answer)
            # 409: our own first attempt, whose answer was lost, is still running.
            if last or not (answer.status in (429, 503) or error.code == "idempotency_in_progress"):
                raise error
            time.sleep(min(_retry_after(answer), self._longest_wait))
        raise AssertionError("the last attempt returns or raises")

    def _once(self, request: urllib.request.Request) -> Answer:
        try:
            with self._opener.open(request, timeout=self._timeout) as response:
                return _read(response)
        except urllib.error.HTTPError as refusal:  # How urllib tells of every status but 2xx, 304 included.
            with refusal:
                return _read(refusal)


def _read(response: Any) -> Answer:
    headers = {name.lower(): value for name, value in response.headers.items()}
    raw = response.read()
    try:
        content = json.loads(raw) if raw else None
    except ValueError:
        content = None  # Not Lodge's: a proxy in between has something to say.
    return Answer(response.status, headers, content)


def _error(answer: Answer) -> LodgeError:
    body = answer.json if isinstance(answer.json, dict) else {}
    code = body.get("code", "unknown")
    kind = _BY_CODE.get(code) or _BY_STATUS.get(answer.status, LodgeError)
    message = body.get("message", "no answer of Lodge's")
    return kind(answer.status, code, message, body.get("errors", {}), answer.headers.get("x-request-id", "unknown"))


def _retry_after(answer: Answer) -> float:
    try:
        return max(float(answer.headers.get("retry-after", "1")), 0.0)
    except ValueError:
        return 1.0


def _links(header: str) -> dict[str, str]:
    """The targets of a Link header (RFC 8288) by relation. Lodge's targets hold no `>`."""
    return {relation: target for target, relation in re.findall(r'<([^>]*)>\s*;\s*rel="([^"]*)"', header)}


def main() -> int:
    desk = Lodge(os.environ.get("LODGE_URL", "http://127.0.0.1:8080"), os.environ.get("LODGE_KEY", DEMO_KEY))
    try:
        print(f"The desk of {desk.profile()['name']}")
        for name, count in desk.dashboard().items():
            print(f"  {name.replace('_', ' ')}: {count}")
        print("Open tickets, most urgent first")
        for ticket in desk.tickets(status="open", sort="-priority"):
            customer = (ticket["customer"] or {}).get("name", "nobody")
            print(f"  {ticket['reference_id']}\t{ticket['priority']}\t{customer}\t{ticket['title']}")
    except LodgeError as error:
        print(f"lodge_client: {error}", file=sys.stderr)
        return 1
    except BrokenPipeError:  # Whoever reads along has seen enough, as with `| head`.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except (HTTPException, OSError) as error:
        print(f"lodge_client: no answer from Lodge: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
