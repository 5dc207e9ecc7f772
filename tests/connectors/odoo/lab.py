"""A real Odoo 19 for the long test: set up by `lab.sh`, with a database of its own for each run.

`CRMPLUGIN_ODOO_LAB` names a folder to keep it in; without it a new one is made and thrown away.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

from tests.browser.served import free_port
from tests.work.servers import wait_until

HERE = Path(__file__).parent
MODULE = HERE.parents[2] / "connectors" / "odoo" / "ui" / "crmplugin_assistant"
USER = "crmlab"
DATABASE = "crmlive"
KEPT = os.environ.get("CRMPLUGIN_ODOO_LAB")
STOP_POSTGRES = "/usr/lib/postgresql/15/bin/pg_ctl -D {lab}/pg -m fast stop"
BOTS = ("marketing", "sales", "own")
"""The bot of the guide, the same without marketing, and one that sees too little: `crmplugin-<name>`."""
KEYS = """
from datetime import datetime, timedelta
sales, mailings = 'sales_team.group_sale_salesman_all_leads', 'mass_mailing.group_mass_mailing_user'
rights = {'marketing': (sales, mailings), 'sales': (sales,), 'own': ('sales_team.group_sale_salesman',)}
users = [env.ref('base.user_admin')]
for name, own in rights.items():
    groups = env['res.groups'].union(*[env.ref(one) for one in ('base.group_user', *own)])
    users.append(env['res.users'].create({'name': 'Deal assistant', 'login': f'crmplugin-{name}',
                                          'email': f'{name}@seller.example', 'group_ids': [(6, 0, groups.ids)]}))
ends = datetime.now() + timedelta(days=80)
keys = [env['res.users.apikeys'].with_user(user)._generate('rpc', 'live', ends) for user in users]
env['crm.stage'].create({'name': 'Negotiation', 'sequence': 5})
env.cr.commit()
print('KEYS', *keys)

"""


class Odoo:
    """A running Odoo. `call` is an administrator's JSON-2."""

    def __init__(self, lab: Path) -> None:
        self.lab, self.url = lab, ""
        self.keys: dict[str, str] = {}
        self._admin_key = self.tested = ""
        self.database_port = int((lab / "pg.port").read_text("utf-8"))
        self._process: subprocess.Popen[bytes] | None = None

    def make_database(self) -> None:
        """A copy of the demo database, with our module installed and its own tests run."""
        where = f"-h 127.0.0.1 -p {self.database_port}"
        self.as_user(f"dropdb {where} -f --if-exists {DATABASE}")
        self.as_user(f"createdb {where} -T {USER} {DATABASE}")
        store = self.lab / "data" / "filestore"
        self.as_user(f"rm -rf {store}/{DATABASE}; [ ! -d {store}/{USER} ] || cp -r {store}/{USER} {store}/{DATABASE}")
        there = self.lab / "addons" / MODULE.name
        shutil.rmtree(there, ignore_errors=True)
        shutil.copytree(MODULE, there)
        self.as_user(f"chmod -R a+rX {self.lab}/addons", as_root=True)
        install = ("-i", MODULE.name, "-u", MODULE.name)
        self.tested = self.odoo("server", *install, "--test-tags", f"/{MODULE.name}", "--stop-after-init")
        self._admin_key, *keys = self.shell(KEYS).split("KEYS ")[1].split()[: 1 + len(BOTS)]
        self.keys = dict(zip(BOTS, keys, strict=True))

    def start(self) -> None:
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        command = f"exec {self.lab}/run.sh {self._arguments('server')} --http-port {port} --max-cron-threads 0"
        with (self.lab / "log" / "live.log").open("ab") as log:
            self._process = subprocess.Popen(["su", USER, "-c", command], stdout=log, stderr=log)
        wait_until(self._answers, 120)

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait(60)

    def _answers(self) -> bool:
        with suppress(requests.RequestException):
            return requests.get(f"{self.url}/web/version", timeout=5).ok
        return False

    def call(self, model: str, method: str, ids: list[int] | None = None, **arguments: Any) -> Any:
        body = arguments | ({} if ids is None else {"ids": ids})
        headers = {"Authorization": f"bearer {self._admin_key}", "X-Odoo-Database": DATABASE}
        answer = requests.post(f"{self.url}/json/2/{model}/{method}", json=body, headers=headers, timeout=60)
        assert answer.ok, answer.text[:2000]
        return answer.json()

    def shell(self, code: str) -> str:
        return self.odoo("shell", "--no-http", given=code)

    def odoo(self, command: str, *more: str, given: str = "") -> str:
        """What a command of Odoo prints."""
        return self.as_user(f"{self.lab}/run.sh {self._arguments(command)} {' '.join(more)}", given=given)

    def _arguments(self, command: str) -> str:
        return f"{command} -c {self.lab}/odoo.conf -d {DATABASE} --db-filter '^{DATABASE}$'"

    def as_user(self, command: str, *, given: str = "", as_root: bool = False) -> str:
        shell = ["sh", "-c", command] if as_root else ["su", USER, "-c", command]
        done = subprocess.run(shell, input=given, capture_output=True, text=True, timeout=900, check=False, cwd="/")
        assert done.returncode == 0, (done.stdout + done.stderr)[-3000:]
        return done.stdout + done.stderr


@contextmanager
def running_odoo() -> Iterator[Odoo]:
    """A real Odoo until the end, with a fresh database."""
    lab = Path(KEPT or tempfile.mkdtemp(prefix="odoo.", dir="/var/tmp"))
    done = subprocess.run(["sh", HERE / "lab.sh", lab], capture_output=True, text=True, timeout=1800, check=False)
    assert done.returncode == 0, (done.stdout + done.stderr)[-3000:]
    odoo = Odoo(lab)
    try:
        odoo.make_database()
        odoo.start()
        yield odoo
    finally:
        odoo.stop()
        if not KEPT:
            odoo.as_user(STOP_POSTGRES.format(lab=lab))
            shutil.rmtree(lab, ignore_errors=True)


class Cable:
    """The network between our server and Odoo: a line that can be cut and mended, and that loses an answer."""

    def __init__(self, target: str) -> None:
        host, _, port = target.rpartition("//")[2].partition(":")
        self._target, self.is_whole = (host, int(port)), True
        self._victim, self.swallowed = "", 0
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        self._open: list[socket.socket] = []
        threading.Thread(target=self._serve, daemon=True).start()

    def cut(self) -> None:
        self.is_whole = False
        for one in self._open:
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    def mend(self) -> None:
        self.is_whole = True

    def swallow(self, path: str) -> None:
        """The next call of an address that ends so reaches Odoo, and its answer nobody."""
        self._victim = f"{path} HTTP"

    def close(self) -> None:
        self.cut()
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                self._connect(self._socket.accept()[0])

    def _connect(self, near: socket.socket) -> None:
        if not self.is_whole:
            near.close()
            return
        far = socket.create_connection(self._target)
        self._open += [near, far]
        line = Line()
        for pump in (self._ask, self._answer):
            threading.Thread(target=pump, args=(near, far, line), daemon=True).start()

    def _ask(self, near: socket.socket, far: socket.socket, line: Line) -> None:
        with suppress(OSError):
            while piece := near.recv(65536):
                if self._victim and self._victim.encode() in piece:
                    self._victim, line.loses_answer = "", True
                far.sendall(piece)
        _hang_up(near, far)

    def _answer(self, near: socket.socket, far: socket.socket, line: Line) -> None:
        with suppress(OSError):
            while piece := far.recv(65536):
                if line.loses_answer:
                    self.swallowed += 1
                    break
                near.sendall(piece)
        _hang_up(near, far)


@dataclass
class Line:
    """One call under way."""

    loses_answer: bool = False


def _hang_up(*ends: socket.socket) -> None:
    for end in ends:
        with suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)
        with suppress(OSError):
            end.close()
