"""Replicates a desk under load with Litestream, kills everything, and looks for every write that was acknowledged.

    python .ci/replication.py LODGE LITESTREAM [SECONDS]

It uses examples/litestream/litestream.yml as it stands. Writers post messages; after a while `litestream sync -wait` says that
all there was is at the second place; the writers go on; then the server, Litestream and the replica are killed and the first
place is deleted. What is restored must be sound by `lodge check`, hold every message that was acknowledged before the sync
began, and of those after it a beginning: no message without all that were acknowledged before it began to be sent.

PLANT=deaf stops Litestream (SIGSTOP) during the load and skips the sync: the run must then fail.
"""

import atexit
import json
import os
import pathlib
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request

lodge, litestream = map(os.path.abspath, sys.argv[1:3])
seconds = float(sys.argv[3]) if len(sys.argv) > 3 else 10
deaf = os.environ.get("PLANT") == "deaf"
here = pathlib.Path(tempfile.mkdtemp(prefix="lodge-replication-"))
first, second, third = here / "first", here / "second", here / "third"
for folder in (first, third):
    folder.mkdir()
config = pathlib.Path(__file__).parent.parent / "examples/litestream/litestream.yml"
env = {
    "PATH": os.environ["PATH"],
    "LODGE_DB": str(first / "lodge.db"),
    "LODGE_REPLICA": str(second),
    "LODGE_LITESTREAM_SOCKET": str(here / "socket"),
}
running = []


@atexit.register
def end():
    for process in running:
        process.kill()


def start(*line, log):
    process = subprocess.Popen(line, env=env, stdout=subprocess.DEVNULL, stderr=open(here / log, "w"))
    running.append(process)
    return process


def run(*line):
    return subprocess.run(line, env=env, capture_output=True, text=True)


def must(*line):
    done = run(*line)
    assert done.returncode == 0, f"{line}: {done.stdout}{done.stderr}"
    return done.stdout


def wait_for(what, happened, patience=30):
    until = time.monotonic() + patience
    while time.monotonic() < until:
        found = happened()
        if found:
            return found
        time.sleep(0.05)
    sys.exit(f"{what} did not happen; see {here}")


def address(log):
    def said():
        text = (here / log).read_text()
        return text.split("http://")[1].split()[0].split("/")[0].rstrip(",") if "http://" in text else None

    return "http://" + wait_for(f"an address in {log}", said)


def call(url, key, body=None):
    headers = {"X-API-KEY": key, "Content-Type": "application/json"}
    request = urllib.request.Request(url, headers=headers, data=body and json.dumps(body).encode())
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=30) as answer:
        return json.load(answer)


must(lodge, "seed", "--db", env["LODGE_DB"])
key = must(lodge, "key", "create", "--type", "internal", "--special").strip().splitlines()[-1]
server = start(lodge, "serve", "--listen", "127.0.0.1:0", "--rate-limit", "0", "--log", "error", log="server")
url = address("server") + "/api/v1/internal"
stream = start(litestream, "replicate", "-config", str(config), log="litestream")
wait_for("the first copy", lambda: any(second.rglob("*.ltx")))
follower = start(
    litestream, "restore", "-config", str(config), "-f", "-o", str(third / "lodge.db"), env["LODGE_DB"], log="follower"
)
wait_for("the replica", lambda: (third / "lodge.db").exists() and run(lodge, "check", "--db", str(third / "lodge.db")).returncode == 0)
env["LODGE_DB"] = str(third / "lodge.db")
replica = start(lodge, "serve", "--read-only", "--listen", "127.0.0.1:0", "--rate-limit", "0", "--log", "error", log="replica")
replica_url = address("replica") + "/api/v1/internal"
env["LODGE_DB"] = str(first / "lodge.db")
if deaf:
    stream.send_signal(signal.SIGSTOP)

# ---- load: (text, when it was sent, when it was acknowledged)
acknowledged = []
stop = threading.Event()


def write(name):
    n = 0
    while not stop.is_set():
        text, sent = f"writer {name}, message {n}, " + "x" * 500, time.monotonic()
        try:
            call(f"{url}/tickets/{1 + n % 100}/messages", key, {"content": text})
        except (urllib.error.URLError, OSError):
            return
        acknowledged.append((text, sent, time.monotonic()))
        n += 1


writers = [threading.Thread(target=write, args=(name,), daemon=True) for name in range(4)]
for writer in writers:
    writer.start()
time.sleep(seconds / 2)

# ---- the replica: it reads, it does not write, and it is not far behind
lags = []
for n in range(3 if not deaf else 0):
    label = call(f"{url}/labels", key, {"name": f"Seen {n}", "color": "#fff"})["data"]
    began = time.monotonic()

    def seen():
        try:
            return call(f"{replica_url}/labels/{label['id']}", key)
        except urllib.error.HTTPError as error:
            assert error.code == 404, error.code
            return None

    wait_for("a label at the replica", seen)
    lags.append(time.monotonic() - began)
try:
    call(f"{replica_url}/labels", key, {"name": "no", "color": "#fff"})
    sys.exit("the replica wrote")
except urllib.error.HTTPError as error:
    assert (error.code, json.load(error)["code"]) == (503, "read_only")

# ---- all there is until now is at the second place
synced = time.monotonic()
if not deaf:
    must(litestream, "sync", "-wait", "-socket", env["LODGE_LITESTREAM_SOCKET"], env["LODGE_DB"])
time.sleep(seconds / 2)

# ---- the machine is gone
killed = time.monotonic()
for process in running:
    process.kill()
stop.set()
for writer in writers:
    writer.join()
for process in running:
    process.wait()
log_length = (first / "lodge.db-wal").stat().st_size
subprocess.run(["rm", "-rf", str(first)], check=True)

restored = here / "restored.db"
must(litestream, "restore", "-config", str(config), "-integrity-check", "full", "-o", str(restored), env["LODGE_DB"])
must(lodge, "check", "--db", str(restored))
there = {row[0] for row in sqlite3.connect(restored).execute("SELECT content FROM message")}

before = [text for text, _, done in acknowledged if done < synced]
missing = [text for text in before if text not in there]
lost = [(text, sent, done) for text, sent, done in acknowledged if text not in there]
first_lost = min((done for _, _, done in lost), default=killed)
gaps = [text for text, sent, _ in acknowledged if sent > first_lost and text in there]
print(f"{len(acknowledged)} writes acknowledged, {len(before)} of them before the sync, {len(missing)} of these missing")
print(f"{len(lost)} written after it missing: the last {1000 * (killed - first_lost):.0f} ms before the end; {len(gaps)} gaps")
print(f"the replica was behind by {', '.join(f'{1000 * lag:.0f} ms' for lag in lags) or '?'}; the log had {log_length >> 20} MiB")
if missing or gaps or len(before) < 100 or killed - first_lost > 5:
    sys.exit(f"FAILED: see {here}")
subprocess.run(["rm", "-rf", str(here)], check=True)
