"""One process that fuzzes one reader: `python -m tests.fuzz.target FORMAT FOLDER SECONDS`."""

from __future__ import annotations

import hashlib
import sys
import traceback
from pathlib import Path

import atheris

with atheris.instrument_imports(
    include=["infrastructure.readers", "email", "csv", "json", "html", "quopri", "base64"],
    enable_loader_override=False,
):
    from infrastructure.readers.registry import default_readers
    from tests.fuzz.inputs import Inputs, run

MEMORY = 1024  # MiB of the process
SLOWEST = 60  # seconds of one input: it hangs


class Target:
    """Keeps one input for each place in the source that fails, and goes on."""

    def __init__(self, format: str, folder: Path) -> None:
        self._reader = next(one for one in default_readers() if one.format == format)
        self._inputs = Inputs(format)
        self._folder = folder
        self.corpus = folder / "corpus"
        self.corpus.mkdir(parents=True, exist_ok=True)
        for number, seed in enumerate(self._inputs.seeds()):
            (self.corpus / f"seed-{number}").write_bytes(seed)

    def __call__(self, data: bytes) -> None:
        try:
            run(self._reader, self._inputs.export(data))
        except Exception as error:
            place = traceback.extract_tb(error.__traceback__)[-1]
            what = f"{type(error).__name__} {Path(place.filename).name}:{place.lineno}"
            name = hashlib.sha256(what.encode()).hexdigest()[:12]
            found = self._folder / f"found-{name}"
            if not found.exists():
                found.write_bytes(data)
                found.with_suffix(".txt").write_text(f"{what}\n{traceback.format_exc()}")


def main(format: str, folder: str, seconds: str) -> None:
    target = Target(format, Path(folder))
    options = [
        *(f"-max_total_time={seconds}", f"-timeout={SLOWEST}", f"-rss_limit_mb={MEMORY}"),
        *("-max_len=65536", "-print_final_stats=1", "-verbosity=0"),
        f"-artifact_prefix={folder}/found-",
    ]
    atheris.Setup([sys.argv[0], *options, str(target.corpus)], target)
    atheris.Fuzz()


if __name__ == "__main__":
    main(*sys.argv[1:])
