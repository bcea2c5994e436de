"""A service of docker-compose.yaml as a confined process: what its container may do and see, as far as that goes here.

There is no container engine on a development machine, but the same kernel features are: Bubblewrap starts the service's
command in a mount, process, user and host name namespace of its own, with what the file says of it: its user, a file
system that is read-only but for its volumes and its tmpfs, no capability, no new privileges. The network is the
machine's, so the containers' names and ports are replaced in the commands and variables.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tests.deployment.compose import ROOT, image_environment
from tests.needs import missing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

PROGRAM = "bwrap"
# Where a container finds the files that are handed to it.
CONFIGURATION = "/opt/configuration"


def need(program: str, package: str) -> None:
    """Skip the test where a Debian package is not installed; in the continuous integration it must be."""
    if shutil.which(program) is None:
        missing(f"{program} is not there: apt-get install {package}")


@dataclass(frozen=True)
class Container:
    """A service of the file, to be run here.

    :param name: its host name, which `docker compose` would choose.
    :param definition: the service, filled in.
    :param here: puts in the places of this machine for those of the containers, such as names of their network.
    :param volumes: by name, the directories that stand for them.
    :param users: the image's file of users, which knows the user that the Dockerfile adds.
    :param extra: variables on top of the file's own.
    :param configuration: a directory that a deployment adds, to be read at :data:`CONFIGURATION`.
    """

    name: str
    definition: Mapping[str, Any]
    here: Callable[[str], str]
    volumes: Mapping[str, Path]
    users: Path
    extra: Mapping[str, str] = field(default_factory=dict)
    configuration: Path | None = None

    def environment(self) -> dict[str, str]:
        """The image's variables and the service's; nothing of the machine's own."""
        given = {name: value for name, value in self.definition["environment"].items() if value is not None}
        known = {**image_environment(), **given, **self.extra}
        # Debian's Redis has no directory of its own among those of a login.
        path = os.pathsep.join(["/opt/ropo/.venv/bin", "/usr/local/bin", "/usr/bin", "/bin"])
        return {"PATH": path, "HOME": "/home/airflow", **{key: self.here(known[key]) for key in known}}

    def command(self) -> list[str]:
        """The service's command."""
        return self.confined([self.here(word) for word in self.definition["command"]])

    def healthcheck(self) -> list[str]:
        """The healthcheck's command, in a container of the same kind."""
        kind, *words = self.definition["healthcheck"]["test"]
        words = [self.here(word) for word in words]
        return self.confined(["sh", "-c", *words] if kind == "CMD-SHELL" else words)

    def confined(self, command: list[str]) -> list[str]:
        """A command as the container's process."""
        known = self.definition
        options = [PROGRAM, "--die-with-parent", "--unshare-pid", "--unshare-uts", "--unshare-ipc"]
        options += ["--hostname", self.name, "--unshare-user", "--uid", "50000", "--gid", "50000"]
        options += ["--ro-bind" if known.get("read_only") else "--bind", "/", "/", "--dev", "/dev", "--proc", "/proc"]
        if known.get("cap_drop") == ["ALL"]:
            options += ["--cap-drop", "ALL"]
        options += ["--ro-bind", str(self.users), "/etc/passwd", "--tmpfs", "/opt", "--ro-bind", str(ROOT), "/opt/ropo"]
        for mount in known.get("tmpfs", []):
            options += ["--tmpfs", self.here(mount.partition(":")[0])]
        if self.configuration is not None:
            options += ["--ro-bind", str(self.configuration), CONFIGURATION]
        # The environment's programs name their interpreter by its place; the file system's root may have lost it.
        options += ["--ro-bind", str(ROOT), str(ROOT)]
        for volume in known.get("volumes", []):
            name, path = volume.split(":")
            options += ["--bind", str(self.volumes[name]), self.here(path)]
        return [*options, "--remount-ro", "/opt", "--chdir", "/opt/ropo", "--", *command]

    def run(self, command: list[str], *, timeout: float = 60) -> subprocess.CompletedProcess[str]:
        """Run another command in a container of the same kind, to its end."""
        return subprocess.run(
            self.confined(command), env=self.environment(), check=False, capture_output=True, text=True, timeout=timeout
        )

    @contextmanager
    def started(self, log: Path) -> Iterator[subprocess.Popen[bytes]]:
        """Start the service; all of it ends with the block. Killing the process that is given kills all of it, too.

        :param log: the file that takes its output.
        """
        with (
            log.open("wb") as output,
            subprocess.Popen(
                self.command(), env=self.environment(), stdin=subprocess.DEVNULL, stdout=output, stderr=output
            ) as process,
        ):
            try:
                yield process
            finally:
                process.kill()
