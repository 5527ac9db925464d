"""How PostgreSQL takes words from messages: by their language, all of them, stop words too."""

from __future__ import annotations

# What full text sees of one message: a tsvector holds at most 1 MiB of words.
WORDS_FROM_CHARACTERS = 100_000
# ISO 639-1 to the configurations that the migrations create.
CONFIGURATIONS = {
    "ar": "arabic",
    "hy": "armenian",
    "eu": "basque",
    "ca": "catalan",
    "da": "danish",
    "nl": "dutch",
    "en": "english",
    "fi": "finnish",
    "fr": "french",
    "de": "german",
    "el": "greek",
    "hi": "hindi",
    "hu": "hungarian",
    "id": "indonesian",
    "ga": "irish",
    "it": "italian",
    "lt": "lithuanian",
    "ne": "nepali",
    "no": "norwegian",
    "nb": "norwegian",
    "nn": "norwegian",
    "pt": "portuguese",
    "ro": "romanian",
    "ru": "russian",
    "sr": "serbian",
    "es": "spanish",
    "sv": "swedish",
    "ta": "tamil",
    "tr": "turkish",
    "yi": "yiddish",
}
# Of a text that does not tell its language: most are a few English words, and an English ending
# that is taken off another language's word is taken off on both sides.
UNSURE = "english"
# Whose words nobody can tell the stems of.
OTHERS = "simple"
SCHEMA = "fulltext"


def configuration_of(language: str | None) -> str:
    """The qualified name of its text search configuration."""
    name = UNSURE if language is None else CONFIGURATIONS.get(language, OTHERS)
    return f"{SCHEMA}.{name}"


def words_sql() -> str:
    """The words of a row of messages. Immutable: each branch names its configuration."""
    text = f"left(coalesce(words_text, text), {WORDS_FROM_CHARACTERS})"
    known = "".join(
        f" WHEN '{language}' THEN to_tsvector('{configuration_of(language)}', {text})"
        for language in sorted(CONFIGURATIONS)
    )
    unsure = f"to_tsvector('{configuration_of(None)}', {text})"
    others = f"to_tsvector('{SCHEMA}.{OTHERS}', {text})"
    return (
        f"CASE WHEN language IS NULL THEN {unsure} ELSE CASE language{known} ELSE {others} END END"
    )


WORDS = words_sql()
