"""What a program in Python does with a client generated from openapi/lodge.json. `.ci/run` generates the package `lodge_client`,
has mypy check both, and runs this against a server on an empty database."""

import sys
from http import HTTPStatus
from typing import TypeVar

from lodge_client import AuthenticatedClient
from lodge_client.api.admin_customers import admin_create_customer
from lodge_client.api.admin_tickets import (
    admin_create_ticket,
    admin_delete_ticket,
    admin_get_ticket,
    admin_list_tickets,
    admin_update_ticket,
)
from lodge_client.models import AdminTicketPatch, Failure, NewCustomer, NewTicket, Priority, Status, TicketSort
from lodge_client.types import Unset

T = TypeVar("T")


def answered(answer: "T | Failure | None") -> T:
    """What a call was answered with; a refusal is typed as well, and ends this."""
    assert answer is not None and not isinstance(answer, Failure), answer
    return answer


def main(url: str, key: str) -> None:
    with AuthenticatedClient(
        base_url=f"{url}/api/v1", token=key, prefix="", auth_header_name="X-API-KEY", raise_on_unexpected_status=True
    ) as desk:
        new = NewCustomer(name="Pia Thon", email="pia@customer.example")
        customer = answered(admin_create_customer.sync(client=desk, body=new)).data
        asked = NewTicket(customer_id=customer.id, title="Typed", content="Checked by mypy.", priority=Priority.HIGH)
        ticket = answered(admin_create_ticket.sync(client=desk, body=asked, idempotency_key="talk-py")).data
        assert ticket.customer is not None and ticket.customer.id == customer.id
        assert ticket.assigned_to is None and ticket.priority is Priority.HIGH

        page = answered(admin_list_tickets.sync(client=desk, customer_id=customer.id, sort=TicketSort.PRIORITY_DESCENDING))
        assert page.meta.total == 1 and page.data[0].id == ticket.id

        found = answered(admin_get_ticket.sync(ticket.id, client=desk)).data
        assert found.title == "Typed"
        patch = AdminTicketPatch(status=Status.CLOSED)
        closed = answered(admin_update_ticket.sync(ticket.id, client=desk, body=patch)).data
        assert closed.closed_at is not None and closed.is_resolved

        refused = admin_create_customer.sync_detailed(client=desk, body=NewCustomer(name="", email=customer.email))
        assert refused.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
        assert isinstance(refused.parsed, Failure) and refused.parsed.code == "validation_failed"
        assert not isinstance(refused.parsed.errors, Unset) and len(refused.parsed.errors["name"]) == 1

        assert answered(admin_delete_ticket.sync(ticket.id, client=desk)).status
        gone = admin_get_ticket.sync(ticket.id, client=desk)
        assert isinstance(gone, Failure) and gone.code == "not_found"


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
