"""The real server on a free port of the loopback interface, with one tenant, a strict source and a token for each
interface. Nothing is left behind."""

import json
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import time
import urllib.error
import urllib.request

# How long the first start may take: it makes a database.
PATIENCE = 120


class Server:
    def __init__(self, binary: str):
        self.binary = str(pathlib.Path(binary).resolve())
        self.process = None
        # Short, since Unix sockets go into it; open, since Postgres runs as another account if we are root.
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="rc-"))
        self.folder.chmod(0o755)
        self.log = self.folder / "output.log"
        self.environment = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith("ROLLCALL_") or name == "ROLLCALL_PG_BIN"
        }
        self.environment.pop("DATABASE_URL", None)

    def __enter__(self):
        try:
            self._start()
        except BaseException:
            self.__exit__(RuntimeError)
            raise
        return self

    def _start(self):
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [self.binary, "serve", "--listen", "127.0.0.1:0", "--data-dir", self.folder, "--role", "api"],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self.folder,
                env=self.environment,
            )
        self.base = self._until_ready()
        self.scim = f"{self.base}/scim/v2"
        self._run("tenant", "create", "acme")
        self._run("source", "create", "feed", "--profile", "strict", "--tenant", "acme")
        # Nobody tries more requests in a second than the tools do.
        self._run("access", "set", "feed", "--rate", "100000/100000", "--tenant", "acme")
        self.scim_token = self._run("token", "create", "--source", "feed", "--tenant", "acme")["token"]
        self.api_token = self._run("token", "create", "--tenant", "acme")["token"]

    def __exit__(self, problem, *_):
        if self.process is not None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(60)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        if (problem or self.panicked()) and self.log.exists():
            print(f"--- what the server wrote ---\n{self.log.read_text(errors='replace')[-20_000:]}--- end ---")
        shutil.rmtree(self.folder, ignore_errors=True)

    def panicked(self) -> bool:
        return self.log.exists() and "panicked at" in self.log.read_text(errors="replace")

    def _until_ready(self) -> str:
        """The base URL, once the server says that it is ready."""
        announced = self.folder / "server.json"
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            if self.process.poll() is not None:
                raise RuntimeError(f"the server ended with {self.process.returncode}")
            try:
                base = f"http://{json.loads(announced.read_text())['listen']}"
                with urllib.request.urlopen(f"{base}/readyz", timeout=5):
                    return base
            except (OSError, ValueError, KeyError, urllib.error.URLError):
                time.sleep(0.1)
        raise RuntimeError(f"the server was not ready within {PATIENCE} s")

    def _run(self, *arguments: str):
        """One command of the server's own command line; what it prints."""
        done = subprocess.run(
            [self.binary, *arguments, "--data-dir", self.folder, "--json"],
            capture_output=True,
            text=True,
            cwd=self.folder,
            env=self.environment,
            timeout=PATIENCE,
        )
        if done.returncode != 0:
            raise RuntimeError(f"{arguments} ended with {done.returncode}: {done.stdout}{done.stderr}")
        return json.loads(done.stdout)

    def create(self, endpoint: str, body: dict) -> str:
        """Creates a resource; its id."""
        request = urllib.request.Request(
            f"{self.scim}{endpoint}",
            data=json.dumps(body).encode(),
            headers={"Authorization": f"Bearer {self.scim_token}", "Content-Type": "application/scim+json"},
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)["id"]
