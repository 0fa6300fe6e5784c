#!/usr/bin/env python3
"""The same listing of 15 tickets by Lodge, by django-helpdesk and by Datasette, in turns in one run.

    python3 benches/peers/compare.py [--tickets 10000] [--seconds 3] [--rounds 3] [--connections 16]

Needs Linux, Python 3.10 or later with venv, cargo, and the registry of Python packages (what is installed is in
requirements.txt; it goes into target/peers). Makes a desk, fills the two others with its tickets, lets all three serve on
loopback, and asks each in turns with the load client of `cargo bench --bench speed`. Writes the table of
docs/performance.md between its two comments. Takes about four minutes.

Each is asked as the agent who leads 200 of the 10,000 tickets: Lodge with a key, newest first; django-helpdesk with a session,
in its own order; Datasette with a signed cookie, newest first (it knows no agents: it filters by the column).
"""

import argparse
import json
import os
import pathlib
import re
import signal
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
TARGET = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
KEY = "lodge_ext_q3nWFhlXIIDZ4Ai5JMQCeQH3IzdRXUpVxxsJULi4RLM4c0lOP"
CORES = os.cpu_count() or 1


def options():
    parser = argparse.ArgumentParser()
    parser.add_argument("--tickets", type=int, default=10_000)
    parser.add_argument("--seconds", type=float, default=3)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--connections", type=int, default=16)
    parser.add_argument("--binary", default=str(TARGET / "release" / "lodge"))
    parser.add_argument("--client", help="the program that `cargo bench --bench speed --no-run` made")
    return parser.parse_args()


def built(binary, client):
    """Lodge and the load client, made if need be."""
    if client:
        return client
    if binary == str(TARGET / "release" / "lodge"):
        subprocess.run(["cargo", "build", "--release", "--locked"], cwd=ROOT, check=True)
    made = subprocess.run(
        ["cargo", "bench", "--locked", "--bench", "speed", "--no-run", "--message-format=json"],
        cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True,
    )
    for line in made.stdout.splitlines():
        message = json.loads(line)
        if message.get("executable") and message["target"]["name"] == "speed":
            return message["executable"]
    sys.exit("cargo did not say where the load client is")


def installed():
    """A Python of its own with both peers."""
    venv = TARGET / "peers"
    python = venv / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", venv], check=True)
    subprocess.run(
        [python, "-m", "pip", "install", "-q", "--disable-pip-version-check", "-r", HERE / "requirements.txt"], check=True
    )
    return venv / "bin"


def wait(url, headers):
    for _ in range(600):
        try:
            with urllib.request.urlopen(urllib.request.Request(url, headers=headers)) as answer:
                return json.load(answer)
        except OSError:
            time.sleep(0.1)
    sys.exit(f"{url} does not answer")


def count(answer):
    """How many tickets an answer holds, in whichever form."""
    return len(next(answer[name] for name in ("data", "results", "rows") if name in answer))


def started(command, environment):
    quiet = subprocess.DEVNULL
    return subprocess.Popen(command, cwd=HERE, env=environment, stdout=quiet, stderr=quiet)


def servers(folder, asked, binaries):
    desk, table = folder / "desk.db", folder / "table.db"
    plain = {name: value for name, value in os.environ.items() if not name.startswith("LODGE_")}
    plain["PYTHONDONTWRITEBYTECODE"] = "1"
    subprocess.run([asked.binary, "seed", "--db", desk, "--tickets", str(asked.tickets)], env=plain, check=True,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    with sqlite3.connect(desk) as conn:
        (me,) = conn.execute("SELECT id FROM agent WHERE name = 'Mira Kessler'").fetchone()
    django = plain | {"DJANGO_SETTINGS_MODULE": "settings", "PYTHONPATH": str(HERE), "PEER_DATABASE": str(folder / "helpdesk.db")}
    filled = subprocess.run([binaries / "python", HERE / "fill.py", desk, str(me), table], env=django, check=True,
                            stdout=subprocess.PIPE, text=True)
    session = filled.stdout.strip().splitlines()[-1]
    # A signed cookie is what logging in to Datasette gives.
    sign = "from datasette.app import Datasette; print(Datasette([], secret='comparison').sign({'a': {'id': 'agent'}}, 'actor'))"
    actor = subprocess.run([binaries / "python", "-c", sign], check=True, stdout=subprocess.PIPE, text=True).stdout.strip()
    (folder / "metadata.json").write_text(json.dumps({"allow": {"id": "agent"}}))
    workers = 2 * CORES + 1
    yield (
        "Lodge", {"X-API-KEY": KEY}, "http://127.0.0.1:18101/api/v1/external/tickets",
        started([asked.binary, "serve", "--db", desk, "--listen", "127.0.0.1:18101", "--rate-limit", "0", "--log", "error"], plain),
    )
    yield (
        f"django-helpdesk, gunicorn with {workers} workers", {"Cookie": f"sessionid={session}"},
        "http://127.0.0.1:18102/api/tickets/?page_size=15",
        started([binaries / "gunicorn", "-b", "127.0.0.1:18102", "-w", str(workers), "django.core.wsgi:get_wsgi_application()"], django),
    )
    yield (
        "Datasette", {"Cookie": f"ds_actor={actor}"},
        f"http://127.0.0.1:18103/table/ticket.json?_size=15&_sort_desc=created_at&assigned_to={me}&_shape=objects",
        started([binaries / "datasette", "serve", table, "-p", "18103", "--secret", "comparison", "-m", folder / "metadata.json"], plain),
    )


def load(client, url, headers, pid, asked):
    command = [client, "load", "--url", url, "--connections", str(asked.connections), "--seconds", str(asked.seconds),
               "--pid", str(pid)]
    for name, value in headers.items():
        command += ["--header", f"{name}: {value}"]
    return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.splitlines()[-1])


def table(results, asked, binaries):
    versions = subprocess.run([binaries / "python", "-m", "pip", "freeze"], check=True, stdout=subprocess.PIPE, text=True).stdout
    named = ", ".join(re.findall(r"(?im)^(?:django-helpdesk|django|gunicorn|datasette|uvicorn)==.*$", versions)).replace("==", " ")
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, stdout=subprocess.PIPE, text=True).stdout.strip()
    load1 = os.getloadavg()[0]
    lines = [
        f"<sub>{time.strftime('%-d %B %Y', time.gmtime())}, commit {commit}; {CORES} cores, load {load1:.1f} at the end; "
        f"{asked.tickets:,} tickets, {asked.connections} connections, {asked.rounds} rounds of {asked.seconds:g} s in turns, medians; "
        f"{named}, Python {sys.version.split()[0]}.</sub>", "",
        "| | requests/s | Lodge is faster by | p50 ms | p99 ms | CPU ms | Lodge takes less by | resident MiB | answer KB |",
        "|---|--:|--:|--:|--:|--:|--:|--:|--:|",
    ]
    middle = {name: {figure: statistics.median(one[figure] for one in rounds) for figure in rounds[0]} for name, rounds in results.items()}
    own = middle["Lodge"]
    for name, one in middle.items():
        faster = f"{own['requests_per_second'] / max(one['requests_per_second'], 1e-9):,.0f} ×" if one is not own else ""
        less = f"{one['cpu_us'] / own['cpu_us']:,.0f} ×" if one is not own else ""
        lines.append(
            f"| {name} | {one['requests_per_second']:,.0f} | {faster} | {one['p50_us'] / 1e3:,.1f} | {one['p99_us'] / 1e3:,.1f} "
            f"| {one['cpu_us'] / 1e3:,.2f} | {less} | {one['resident_kib'] / 1024:,.0f} | {one['bytes'] / 1024:.1f} |"
        )
    return "\n".join(lines)


def main():
    asked = options()
    client, binaries = built(asked.binary, asked.client), installed()
    with tempfile.TemporaryDirectory(prefix="peers-") as folder:
        running = []
        try:
            for server in servers(pathlib.Path(folder), asked, binaries):
                running.append(server)
            for name, headers, url, _ in running:
                found = count(wait(url, headers))
                if found != 15:
                    sys.exit(f"{name} lists {found} tickets")
            results = {}
            for _ in range(asked.rounds):
                for name, headers, url, process in running:
                    results.setdefault(name, []).append(load(client, url, headers, process.pid, asked))
                    print(name, results[name][-1], flush=True)
        finally:
            for *_, process in running:
                process.send_signal(signal.SIGTERM)
                process.wait()
    text = table(results, asked, binaries)
    print(text)
    page = ROOT / "docs" / "performance.md"
    begin, end = "<!-- measured: peers -->\n", "<!-- end: peers -->"
    before, rest = page.read_text().split(begin)
    _, after = rest.split(end)
    page.write_text(f"{before}{begin}\n{text}\n\n{end}{after}")


main()
