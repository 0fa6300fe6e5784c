"""Fills the peers' databases with the tickets of a Lodge desk, and prints the two secrets that the comparison needs.

    python fill.py DESK AGENT-ID TABLE

DESK is Lodge's file, AGENT-ID whose tickets are listed, TABLE the file to make for Datasette. The database of
django-helpdesk is that of settings.py. Prints the name and the id of a session of that agent.
"""

import datetime
import sqlite3
import sys

import django

django.setup()

from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY, get_user_model
from django.contrib.sessions.backends.db import SessionStore
from django.core.management import call_command
from helpdesk.models import FollowUp, Queue, Ticket

STATUSES = {"open": 1, "in_progress": 1, "on_hold": 1, "closed": 4}
PRIORITIES = {"critical": 1, "high": 2, "medium": 3, "low": 4}
CHUNK = 2000


def when(micros):
    return datetime.datetime.fromtimestamp(micros / 1e6, datetime.timezone.utc)


def fill_helpdesk(desk, me):
    call_command("migrate", verbosity=0)
    user = get_user_model()
    agents = {
        id: user.objects.create(username=f"agent{id}", email=email, first_name=name[:150], is_staff=True)
        for id, name, email in desk.execute("SELECT id, name, email FROM agent")
    }
    queues = {
        id: Queue.objects.create(title=name, slug=f"queue-{id}")
        for id, name in desk.execute("SELECT id, name FROM department")
    }
    rows = desk.execute(
        """SELECT t.id, t.title, t.content, t.status, t.priority, t.department_id, t.assigned_to, u.email, t.created_at,
             t.updated_at FROM ticket t JOIN customer u ON u.id = t.customer_id"""
    )
    while chunk := rows.fetchmany(CHUNK):
        Ticket.objects.bulk_create(
            Ticket(
                id=id,
                title=title[:200],
                description=content,
                status=STATUSES[status],
                on_hold=status == "on_hold",
                priority=PRIORITIES[priority],
                queue=queues[queue],
                assigned_to=agents.get(lead),
                submitter_email=email,
                created=when(created),
                modified=when(updated),
            )
            for id, title, content, status, priority, queue, lead, email, created, updated in chunk
        )
    rows = desk.execute("SELECT ticket_id, content, is_internal, agent_id, created_at FROM message")
    while chunk := rows.fetchmany(CHUNK):
        FollowUp.objects.bulk_create(
            FollowUp(
                ticket_id=ticket,
                title="Comment",
                comment=content,
                public=not internal,
                user=agents.get(agent),
                date=when(at),
            )
            for ticket, content, internal, agent, at in chunk
        )
    session = SessionStore()
    session[SESSION_KEY] = str(agents[me].pk)
    session[BACKEND_SESSION_KEY] = "django.contrib.auth.backends.ModelBackend"
    session[HASH_SESSION_KEY] = agents[me].get_session_auth_hash()
    session.create()
    return session.session_key


def fill_table(desk, path):
    """One table with what a ticket of Lodge shows, by the names that it refers to, and an index of the list's order."""
    desk.execute("ATTACH ? AS peer", [path])
    desk.execute(
        """CREATE TABLE peer.ticket AS
           SELECT t.id, t.reference_id, t.title, t.content, t.status, t.priority, d.name AS department, c.name AS category,
             p.name AS product, u.name AS customer, u.email AS customer_email, t.assigned_to, a.name AS lead,
             (SELECT json_group_array(json_object('id', l.id, 'name', l.name, 'color', l.color))
              FROM ticket_label tl JOIN label l ON l.id = tl.label_id WHERE tl.ticket_id = t.id) AS labels,
             (SELECT json_group_array(json_object('id', g.id, 'name', g.name))
              FROM ticket_agent ta JOIN agent g ON g.id = ta.agent_id WHERE ta.ticket_id = t.id) AS agents,
             t.is_resolved, t.is_locked, t.last_reply_at, t.closed_at, t.created_at, t.updated_at
           FROM main.ticket t JOIN customer u ON u.id = t.customer_id LEFT JOIN department d ON d.id = t.department_id
             LEFT JOIN category c ON c.id = t.category_id LEFT JOIN product p ON p.id = t.product_id
             LEFT JOIN agent a ON a.id = t.assigned_to"""
    )
    desk.execute("CREATE INDEX peer.ticket_lead ON ticket (assigned_to, created_at)")
    desk.commit()


def main():
    path, me, table = sys.argv[1], int(sys.argv[2]), sys.argv[3]
    desk = sqlite3.connect(path)
    session = fill_helpdesk(desk, me)
    fill_table(desk, table)
    print(session)


main()
