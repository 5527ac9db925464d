"""Words in memory against a plain reading of BM25 over the same messages."""

from __future__ import annotations

import math
import threading
from collections import Counter
from collections.abc import Sequence
from random import Random
from typing import Any

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from infrastructure.words import inverted_index, ranking
from infrastructure.words.inverted_index import Alternatives, InvertedIndex
from infrastructure.words.lookup import Scored
from infrastructure.words.ranking import K1, B

WORDS = ["boat", "boats", "rain", "harbour", "sun", "sunny", "lunch", "train"]


def lexemes(text: str) -> list[tuple[str, int]]:
    return list(Counter(text.split()).items())


def asked(*words: str) -> list[Alternatives]:
    return [
        Alternatives((), (w[:-1],)) if w.endswith("*") else Alternatives(tuple(w.split("|")))
        for w in words
    ]


def expected(
    texts: dict[int, str],
    words: Sequence[str],
    *,
    below: float = math.inf,
    allowed: set[int] | None = None,
) -> dict[int, float]:
    """By the formula."""
    known = {id_: text.split() for id_, text in texts.items() if id_ < below}
    if not known:
        return {}
    average = sum(map(len, known.values())) / len(known)
    scores: dict[int, float] = {}
    for word in words:

        def stands_for(said: str, word: str = word) -> bool:
            return said.startswith(word[:-1]) if word.endswith("*") else said in word.split("|")

        having = sum(len({s for s in text if stands_for(s)}) for text in known.values())
        having = min(having, len(known))
        weight = math.log(1 + (len(known) - having + 0.5) / (having + 0.5))
        for id_, text in known.items():
            for times in Counter(filter(stands_for, text)).values():
                norm = K1 * (1 - B + B * len(text) / average)
                scores[id_] = scores.get(id_, 0) + weight * times * (K1 + 1) / (times + norm)
    return {id_: s for id_, s in scores.items() if allowed is None or id_ in allowed}


def search(
    index: InvertedIndex,
    words: Sequence[Alternatives],
    k: int,
    *,
    below: int | None = None,
    allowed: Any = None,
    groups: Sequence[Sequence[int]] = (),
) -> Scored:
    lookup = index.look_up(words, below=below)
    kept = None if allowed is None else lookup.kept_of(np.array(sorted(allowed), dtype=np.int64))
    return lookup.best(k, kept=kept, groups=groups)


def check(
    index: InvertedIndex, texts: dict[int, str], words: Sequence[str], **options: Any
) -> None:
    want = expected(texts, words, **options)
    if "allowed" in options:
        options["allowed"] = np.array(sorted(options["allowed"]), dtype=np.int64)
    found = search(index, asked(*words), max(1, len(texts)), **options)
    assert dict(zip(found.ids.tolist(), found.scores.tolist(), strict=True)) == pytest.approx(
        want, rel=1e-4
    )
    order = [(-round(score, 4), -id_) for id_, score in want.items()]
    best = [(-round(want[id_], 4), -id_) for id_ in found.ids.tolist()]
    assert sorted(order) == sorted(best)
    scores = found.scores.tolist()
    assert scores == sorted(scores, reverse=True)
    few = search(index, asked(*words), 3, **options)
    assert few.scores.tolist() == scores[:3]
    assert few.ids.tolist() == found.ids.tolist()[:3]


class Changing(RuleBasedStateMachine):
    """Anything that may happen to an archive, in any order, with segments that are merged early."""

    def __init__(self) -> None:
        super().__init__()
        self.index = InvertedIndex()
        self.texts: dict[int, str] = {}

    text = st.lists(st.sampled_from(WORDS), max_size=6).map(" ".join)

    @rule(told=st.dictionaries(st.integers(0, 40), text, max_size=8))
    def add(self, told: dict[int, str]) -> None:
        self.index.add((id_, lexemes(text)) for id_, text in told.items())
        self.texts |= told
        self.exact = False

    @rule(ids=st.sets(st.integers(0, 45), max_size=8))
    def remove(self, ids: set[int]) -> None:
        assert self.index.remove(ids) == len(ids & self.texts.keys())
        for id_ in ids:
            self.texts.pop(id_, None)

    @rule(words=st.lists(st.sampled_from([*WORDS, "boat|boats", "sun*", "nothing"]), max_size=4))
    def search(self, words: list[str]) -> None:
        found = search(self.index, asked(*words), 100)
        assert set(found.ids.tolist()) == expected(self.texts, words).keys()

    @rule(
        words=st.lists(st.sampled_from(WORDS), min_size=1, max_size=2),
        allowed=st.sets(st.integers(0, 45)),
        below=st.integers(0, 45),
    )
    def narrow(self, words: list[str], allowed: set[int], below: int) -> None:
        array = np.array(sorted(allowed), dtype=np.int64)
        found = search(self.index, asked(*words), 100, below=below, allowed=array)
        want = expected(self.texts, words, below=below, allowed=allowed)
        assert set(found.ids.tolist()) == want.keys()

    @invariant()
    def counts(self) -> None:
        assert len(self.index) == len(self.texts)


TestChanging = Changing.TestCase
TestChanging.settings = settings(max_examples=60, stateful_step_count=20, deadline=None)


def made_up(count: int, seed: int = 1) -> dict[int, str]:
    random = Random(seed)
    return {
        id_: " ".join(random.choices(WORDS, k=random.randrange(1, 9)))
        for id_ in random.sample(range(10 * count), count)
    }


@pytest.mark.parametrize("dense_share", [0.0, 0.05, 10.0])
def test_scores_are_those_of_the_formula(
    dense_share: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whichever way they are summed."""
    monkeypatch.setattr(ranking, "DENSE_SHARE", dense_share)
    texts = made_up(400)
    index = InvertedIndex()
    told = list(texts.items())
    for start in range(0, len(told), 90):
        index.add((id_, lexemes(text)) for id_, text in told[start : start + 90])
    check(index, texts, ["boat"])
    check(index, texts, ["boat", "rain", "harbour"])
    check(index, texts, ["boat|boats", "sun*"])
    check(index, texts, ["nothing"])
    check(index, texts, ["boat", "rain"], below=2_000)
    check(index, texts, ["boat", "rain"], below=0)
    check(index, texts, ["boat", "rain"], allowed=set(list(texts)[:50]))
    check(index, texts, ["boat", "rain"], allowed=set())


def test_words_weigh_by_those_who_are_there() -> None:
    texts = {number: "boat rain" if number < 60 else "rain sun" for number in range(100)}
    index = InvertedIndex()
    index.add((id_, lexemes(text)) for id_, text in texts.items())
    gone = range(50)
    index.remove(gone)
    for id_ in gone:
        del texts[id_]
    check(index, texts, ["boat", "rain"])


@pytest.mark.parametrize("has_gone", [False, True])
def test_the_best_are_found_without_looking_at_all(
    has_gone: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rare and common words, as people use them; what is passed over is never among the best."""
    random = np.random.default_rng(3)
    words = np.array([f"w{number}" for number in range(200)])
    often = 1 / np.arange(1, 201)
    index = InvertedIndex()
    for start in (0, 5_000):
        ids = range(start, start + (5_000 if start else 600))
        lengths = random.integers(1, 12, 5_000)
        index.add(
            (id_, lexemes(" ".join(random.choice(words, n, p=often / often.sum()))))
            for id_, n in zip(ids, lengths, strict=False)
        )
    if has_gone:
        index.remove(random.choice(10_000, 2_000, replace=False).tolist())
    allowed = np.sort(random.choice(10_000, 3_000, replace=False)).astype(np.int64)
    passed_over = 0
    for number in range(60):
        query = asked(*random.choice(words, 1 + number % 9, p=often / often.sum()))
        options: dict[str, Any] = {
            "allowed": allowed if number % 3 == 1 else None,
            "below": 7_000 if number % 4 == 1 else None,
            "groups": ((0,), (len(query) - 1,)) if number % 5 == 1 else (),
        }
        monkeypatch.setattr(ranking, "WORTH_ASKING", math.inf)
        want = search(index, query, 10, **options)
        monkeypatch.setattr(ranking, "WORTH_ASKING", 0)
        calls = Counter[str]()
        with monkeypatch.context() as patched:
            patched.setattr(ranking, "summed_at", counting(ranking.summed_at, calls, "summed"))
            found = search(index, query, 10, **options)
        passed_over += calls["summed"] > 2  # once for each segment at the end
        assert found.ids.tolist() == want.ids.tolist()
        assert found.scores.tolist() == want.scores.tolist()
    assert passed_over > 10


def counting(function: Any, calls: Counter[str], name: str) -> Any:
    def counted(*arguments: Any) -> Any:
        calls[name] += 1
        return function(*arguments)

    return counted


def test_what_words_are_worth_in_given_messages_is_what_a_search_says() -> None:
    texts = made_up(300)
    index = InvertedIndex()
    told = list(texts.items())
    for start in range(0, len(told), 90):
        index.add((id_, lexemes(text)) for id_, text in told[start : start + 90])
    words = asked("boat|boats", "rain", "nothing")
    below = 2_000
    ids = np.array([*list(texts)[::3], 99_999], dtype=np.int64)
    worth = index.look_up(words, below=below).worth(ids)
    found = search(index, words, 1_000, below=below)
    scores = dict(zip(found.ids.tolist(), found.scores.tolist(), strict=True))
    for id_, impact, held in zip(ids.tolist(), worth.impacts, worth.held, strict=True):
        assert impact == pytest.approx(scores.get(id_, 0.0), rel=1e-4)  # 0 for what came later
        assert (held > 0) == (id_ in scores)
        assert held <= worth.ideal
    earlier = ids[ids < below].tolist()
    both = next(id_ for id_ in earlier if {"boat", "rain"} <= set(texts[id_].split()))
    assert worth.held[ids.tolist().index(both)] < worth.ideal  # it lacks "nothing"
    everything = index.look_up(words[:2], below=below).worth(np.array([both]))
    assert everything.held[0] == pytest.approx(everything.ideal)
    assert InvertedIndex().look_up(words).worth(ids).ideal == 0


def test_what_comes_later_does_not_change_what_was(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages of one result are ranked the same whatever arrives between them."""
    monkeypatch.setattr(inverted_index, "SMALLEST", 10)
    texts = made_up(300)
    index = InvertedIndex()
    index.add((id_, lexemes(text)) for id_, text in texts.items())
    below = max(texts) + 1
    before = search(index, asked("boat", "sunny"), 300, below=below)
    for number in range(40):
        index.add([(below + number, lexemes("boat boat rain"))])
    after = search(index, asked("boat", "sunny"), 300, below=below)
    assert after.ids.tolist() == before.ids.tolist()
    assert after.scores.tolist() == pytest.approx(before.scores.tolist(), rel=1e-5)


def test_messages_that_come_one_by_one_are_merged() -> None:
    index = InvertedIndex()
    for number in range(300):
        index.add([(number, lexemes(f"boat w{number}"))])
    assert len(index._segments) <= 2
    assert len(search(index, asked("boat"), 1_000).ids) == 300


def test_searches_go_on_while_messages_come_and_go() -> None:
    index = InvertedIndex()
    index.add((number, lexemes("boat rain")) for number in range(2_000))
    errors: list[BaseException] = []
    stop = threading.Event()

    def keep_searching() -> None:
        try:
            while not stop.is_set():
                found = search(index, asked("boat", "rain"), 3_000)
                assert len(found.ids) >= 2_000
                assert len(set(found.ids.tolist())) == len(found.ids)
        except BaseException as error:  # noqa: BLE001 - shown below
            errors.append(error)

    threads = [threading.Thread(target=keep_searching) for _ in range(3)]
    for thread in threads:
        thread.start()
    for number in range(60):
        # Told anew, each time in another place: never gone in between.
        index.add((id_, lexemes("boat rain rain")) for id_ in range(number, 2_000, 60))
        index.add([(10_000 + number, lexemes("boat"))])
        index.remove([10_000 + number])
    stop.set()
    for thread in threads:
        thread.join()
    assert not errors


def test_a_short_beginning_stands_for_the_words_that_are_used_most(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(inverted_index, "MOST_BEGUN", 2)
    index = InvertedIndex()
    index.add((number, lexemes(text)) for number, text in enumerate(["ab ac", "ab", "ac", "ad"]))
    index.add([(9, lexemes("ad ad"))])
    index.add([(10, lexemes("ad"))])
    found = search(index, asked("a*"), 10).ids.tolist()
    assert {3, 9, 10} <= set(found)
    assert len(found) == 5  # "ac" is used as often as "ab", and left out


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("harbuor", ["harbour"]),  # swapped
        ("habour", ["harbour"]),
        ("harrbour", ["harbour"]),
        ("plumbrr", ["plumber"]),
        ("dishwashre", ["dishwasher"]),
        ("dishwosherr", ["dishwasher"]),
        ("xyzzyq", []),
        ("bat", []),  # too short: everything is near
        ("a1b2c3d4", []),
    ],
)
def test_what_was_probably_meant(word: str, meant: list[str]) -> None:
    index = InvertedIndex()
    index.add([(1, lexemes("harbour plumber dishwasher boat cat harvest"))])
    assert index.vocabulary.near(word) == meant
