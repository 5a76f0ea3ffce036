"""Running the server as a process: socket, ready line, signals, parent pipe, log file, lasting files."""

from __future__ import annotations

import _thread
import asyncio
import contextlib
import json
import logging
import os
import secrets
import signal
import socket
import sqlite3
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import uvicorn

from .app import BASE_PATH, create_app, run_with
from .midm.access import Account
from .world import World
from .world.world import FILE_NAME

TOKEN_FILE = "token"
API_KEY_FILE = "api-key"
PASSWORD_FILE = "password"
# Who signs in to MiDM here.
EMAIL = "demo@example.com"
LOCK_FILE = "lock"
# Seconds after which a server that was told to end by its parent's pipe, and did not, is ended all the same.
_HANGING = 5.0

log = logging.getLogger("mdm_tui.server")


def serve(
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    fd: int | None = None,
    devices: int = 500,
    seed: int = 1,
    scenario: str = "calm",
    speed: float = 1.0,
    data_dir: Path | None = None,
    documented_only: bool = False,
    token: str | None = None,
    api_key: str | None = None,
    password: str | None = None,
    parent_pipe_fd: int | None = None,
    log_file: Path | None = None,
    hourly: int | None = None,
) -> int:
    """Serve a fleet until SIGTERM, SIGINT or the end of the parent's pipe. Exit code 0, or 1 with a word on stderr.

    port: 0 takes a free one. fd: a listening socket that was handed over, instead of host and port. data_dir: keeps
    fleet and secrets; None is a fleet that is gone at the end. token (Applivery's), api_key and password (MiDM's): None
    takes the data folder's, else a random one.
    parent_pipe_fd: a descriptor whose end of file ends the server. log_file: where warnings and accesses go; without
    it warnings go to stderr. hourly: a limit of requests, None for no limit.
    """
    try:
        if parent_pipe_fd is not None:
            # Who starts us from a script in the background leaves it ignored, and the pipe's end interrupts by it.
            signal.signal(signal.SIGINT, signal.default_int_handler)
        pipe = None if parent_pipe_fd is None else _Pipe(parent_pipe_fd)
        with contextlib.ExitStack() as stack:
            if pipe is not None:
                stack.callback(pipe.ended.set)
            if data_dir is not None:
                data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
                stack.enter_context(_lock(data_dir))
            _start_log(log_file)
            listener = stack.enter_context(_listen(host, port) if fd is None else socket.socket(fileno=fd))
            world = World.open(data_dir, devices=devices, seed=seed, speed=speed, scenario=scenario)
            stack.callback(world.close)
            if "hostile" in (scenario, world.scenario) and scenario != world.scenario:
                log.warning("%s holds a %s fleet, which stays as it is", data_dir, world.scenario)
            token = token or _lasting_secret(data_dir, TOKEN_FILE)
            account = Account(
                api_key or _lasting_secret(data_dir, API_KEY_FILE),
                EMAIL,
                password or _lasting_secret(data_dir, PASSWORD_FILE),
            )
            app = create_app(
                world,
                scenario=scenario,
                documented_only=documented_only,
                tokens={token: None},
                account=account,
                hourly=hourly,
                hosts=() if host in ("127.0.0.1", "localhost", "::1", "0.0.0.0", "::") else (host,),
            )
            url = f"http://{f'[{host}]' if ':' in host else host}:{listener.getsockname()[1]}"
            ready = {
                "ready": True,
                "url": url,
                "applivery": {
                    "base_url": url + BASE_PATH,
                    "organization": world.organization,
                    "token": token,
                },
                "midm": {
                    "base_url": url,
                    "api_key": account.api_key,
                    "email": account.email,
                    "password": account.password,
                    "organization": world.site,
                },
            }
            asyncio.run(_run(app, world, listener, ready, pipe, log_file is not None))
    except KeyboardInterrupt:
        # Making a large fleet takes a while: half of one is rolled back.
        return 128 + signal.SIGINT if parent_pipe_fd is None else 0
    except sqlite3.Error as error:
        return _failed(f"{data_dir / FILE_NAME}: {error}" if data_dir is not None else str(error), log_file)
    except (OSError, ValueError, RuntimeError) as error:
        return _failed(str(error), log_file)
    return 0


def _failed(sentence: str, log_file: Path | None) -> int:
    if log_file is not None:
        log.error("%s", sentence)
    print(f"mdm-tui server: {sentence}", file=sys.stderr)
    return 1


class _Server(uvicorn.Server):
    """Tells when it listens, and leaves signals to `_run`: uvicorn would raise them again after the end."""

    def __init__(self, config: uvicorn.Config, ready: dict[str, Any]) -> None:
        super().__init__(config)
        self._ready = ready

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        print(json.dumps(self._ready), flush=True)


async def _run(
    app: Any, world: World, listener: socket.socket, ready: dict[str, Any], pipe: _Pipe | None, access_log: bool
) -> None:
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=access_log,
        lifespan="off",
        ws="none",
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=30,
        timeout_graceful_shutdown=2,
    )
    server = _Server(config, ready)
    logging.getLogger("uvicorn.error").addFilter(lambda record: not (server.should_exit and _cut_short(record)))
    loop = asyncio.get_running_loop()

    def stop() -> None:
        server.should_exit = True

    for number in (signal.SIGTERM, signal.SIGINT, getattr(signal, "SIGHUP", signal.SIGTERM)):
        with contextlib.suppress(NotImplementedError, ValueError):
            loop.add_signal_handler(number, stop)
    if pipe is not None:
        pipe.then(lambda: loop.call_soon_threadsafe(stop))
    await run_with(world, server.serve(sockets=[listener]))


def _cut_short(record: logging.LogRecord) -> bool:
    """Whether it only tells of a request that the end of the server did not wait for."""
    broken = record.exc_info[0] if record.exc_info else None
    cancelled = broken is not None and issubclass(broken, asyncio.CancelledError)
    return cancelled or "timeout graceful shutdown exceeded" in record.getMessage()


class _Pipe:
    """The parent's pipe: until `then` its end interrupts the start, after it calls what was given.

    Read in a thread, because files and terminals cannot be polled everywhere. A server that hangs is ended from it:
    whoever held the pipe is gone, and nobody else would.
    """

    def __init__(self, descriptor: int) -> None:
        self.closed = False
        self.ended = threading.Event()
        self._end: Callable[[], object] = _thread.interrupt_main
        self._lock = threading.Lock()
        threading.Thread(target=self._watch, args=(descriptor,), daemon=True).start()

    def then(self, end: Callable[[], object]) -> None:
        with self._lock:
            self._end = end
            if self.closed:
                end()

    def _watch(self, descriptor: int) -> None:
        with contextlib.suppress(OSError):
            while os.read(descriptor, 4096):
                pass
        with self._lock, contextlib.suppress(RuntimeError):
            self.closed = True
            self._end()
        if not self.ended.wait(_HANGING):
            os._exit(1)


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(128)
    except OSError as error:
        listener.close()
        raise OSError(f"cannot listen on {host}:{port}: {error.strerror or error}") from error
    return listener


def _start_log(path: Path | None) -> None:
    handler: logging.Handler
    if path is None:
        handler = logging.StreamHandler(sys.stderr)
    else:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(os.open(path, os.O_CREAT | os.O_APPEND | os.O_WRONLY, 0o600))
        handler = logging.FileHandler(path, encoding="utf-8")
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s %(message)s"))
    for name in ("mdm_tui.server", "uvicorn"):
        logger = logging.getLogger(name)
        logger.handlers = [handler]
        logger.propagate = False
        logger.setLevel(logging.WARNING if path is None else logging.INFO)


def _lasting_secret(data_dir: Path | None, name: str) -> str:
    """A random secret; in a data folder the same one every time, readable by its owner alone."""
    if data_dir is None:
        return secrets.token_urlsafe(32)
    path = data_dir / name
    if path.exists():
        secret = path.read_text("ascii").strip()
        if secret:
            os.chmod(path, 0o600)
            return secret
    secret = secrets.token_urlsafe(32)
    descriptor = os.open(path, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(secret + "\n")
    return secret


@contextlib.contextmanager
def _lock(data_dir: Path) -> Iterator[None]:
    """One server per data folder."""
    try:
        import fcntl
    except ImportError:
        yield
        return
    descriptor = os.open(data_dir / LOCK_FILE, os.O_CREAT | os.O_RDWR, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise OSError(f"{data_dir} is in use by another server: stop it or give another data folder") from None
        yield
    finally:
        os.close(descriptor)
