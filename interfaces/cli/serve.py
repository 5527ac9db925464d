"""`chatledger serve`: the API, with or without a worker, in one process or several."""

from __future__ import annotations

from contextlib import ExitStack, suppress
from functools import partial

import click

from infrastructure.bootstrap import open_container, open_container_at, open_database
from infrastructure.postgres.connection import answers
from infrastructure.saying import announce
from infrastructure.settings import Settings, environment_with
from interfaces.cli.ending import Signalled
from interfaces.cli.running import projections_woken, working
from interfaces.cli.serving import adopt, listen, reserve, run_server
from interfaces.cli.supervising import Life, Role, Supervisor, life_of

descriptor = click.IntRange(min=0)


@click.command()
@click.option(
    "--worker/--no-worker",
    "with_worker",
    default=True,
    show_default=True,
    help="Work on jobs too; without, `chatledger worker` has to run.",
)
@click.option(
    "--processes",
    default=1,
    show_default=True,
    type=click.IntRange(1, 64),
    help="How many processes answer requests. Beside more than one, jobs have their own.",
)
@click.option("--listen-fd", type=descriptor, hidden=True, help="Of a process that is one of many.")
@click.option("--life-fd", type=descriptor, hidden=True)
def serve(*, with_worker: bool, processes: int, listen_fd: int | None, life_fd: int | None) -> None:
    """Serve GraphQL and uploads to this machine until stopped."""
    settings = Settings.from_env()
    if processes > 1:
        serve_by_many(settings, processes, with_worker=with_worker)
    else:
        serve_alone(settings, listen_fd, life_of(life_fd), with_worker=with_worker)


def serve_alone(
    settings: Settings, listen_fd: int | None, life: Life | None, *, with_worker: bool
) -> None:
    with ExitStack() as stack:
        # First of all: where somebody else serves, nothing is made.
        listener = reserve(settings) if listen_fd is None else adopt(listen_fd)
        stack.callback(listener.close)
        container = stack.enter_context(open_container(settings))
        if listen_fd is None:
            listen(listener, settings)
        container.follower.start()
        container.words_follower.start()
        if with_worker:
            on_stop = [stack.enter_context(working(container)).ask_to_stop]
        else:
            stack.enter_context(projections_woken(container))
            on_stop = []
        if life is None:
            on_stop = [say_stopping, *on_stop]
        on_ready = partial(say_started, settings, 1) if life is None else life.say_ready
        run_server(container, listener=listener, on_ready=on_ready, on_stop=on_stop)
    if life is None:
        say_stopped()


def serve_by_many(settings: Settings, processes: int, *, with_worker: bool) -> None:
    """This process opens the database and the port, and keeps the others alive."""
    with reserve(settings) as listener, open_database(settings) as url:
        with open_container_at(url, settings):
            pass  # what only one may do: make the master key, build read models anew
        listen(listener, settings)
        number = listener.fileno()
        command = ("serve", "--no-worker", "--listen-fd", str(number))
        roles = [
            Role(name=f"API process {index}", arguments=command, pass_fds=[number])
            for index in range(1, processes + 1)
        ]
        if with_worker:
            roles.append(Role(name="The worker", arguments=["worker"]))

        def on_stop() -> None:
            listener.close()  # or who connects now would wait for nobody
            say_stopping()

        supervisor = Supervisor(
            roles,
            environment=environment_with(DATABASE_URL=url),
            say=announce,
            is_database_there=partial(answers, url),
            on_ready=partial(say_started, settings, processes),
            on_stop=on_stop,
        )
        with suppress(Signalled):
            supervisor.run()
    say_stopped()


def say_started(settings: Settings, processes: int) -> None:
    address = f"{settings.address}/"
    by = f" by {processes} processes" if processes > 1 else ""
    text = f"Serving on {address}{by} until stopped."
    announce(text, "server_started", address=address, processes=processes)


def say_stopping() -> None:
    announce("Stopping: what runs may finish. Ctrl-C again ends at once.", "server_stopping")


def say_stopped() -> None:
    announce("Stopped.", "server_stopped")
