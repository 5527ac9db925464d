"""Texts become vectors: what holds for any embedder, and what for the real one."""

from __future__ import annotations

import hashlib
import logging
import random
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from application.ports.embedder import Embedder, EmbedderUnavailableError
from infrastructure.embedders import minilm, openvino_engine
from infrastructure.embedders.batches import MOST_TOKENS, batches
from infrastructure.embedders.engine import EngineUnavailableError
from infrastructure.embedders.minilm import MiniLmEmbedder
from infrastructure.embedders.torch_engine import has_bfloat16
from infrastructure.embedders.weights import SHA256, packaged_model, sentence_transformer
from tests.support.fake_embedder import HashEmbedder

WORDS = [
    "hi",
    "hello",
    "ok",
    "so",
    "the",
    "my",
    "wifi",
    "card",
    "driver",
    "kernel",
    "module",
    "apt-get",
    "update",
    "fails",
    "with",
    "error",
    "404",
    "anyone",
    "know",
    "how",
    "i",
    "can",
    "mount",
    "/dev/sda1",
    "as",
    "user?",
    "sudo",
    "chmod",
    "755",
    ":)",
    "lol",
    "thanks,",
    "it",
    "works",
    "now!",
    "nvidia",
    "xorg.conf",
    "resolution",
    "1024x768",
    "ubuntu",
    "hoary",
    "warty",
    "python2.4",
    "segfault",
    "https://pastebin.com",
    "don't",
    "can't",
    "what's",
    "up",
    "größer",
    "café",
    "привет",
    "你好",
    "こんにちは",
    "🎉",
    "👍🏽",
]


def chat(n: int, *, seed: int = 0) -> list[str]:
    """Messages of the length and the mess of IRC: mostly short, a few long, some repeated."""
    chance = random.Random(seed)
    lengths = [max(1, int(chance.lognormvariate(2, 0.9))) for _ in range(n)]
    return [" ".join(chance.choices(WORDS, k=length)) for length in lengths]


ODD = ["", " ", "word " * 1000, "[PAD] [CLS]", "🎉", "a\nb\tc", "HELLO", "Ünïcödé"]
COMPARED = [*chat(190), *ODD]


@pytest.fixture(scope="session")
def model_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("models")


@pytest.fixture(scope="session")
def minilm_embedder(model_cache: Path) -> MiniLmEmbedder:
    embedder = MiniLmEmbedder(cache_dir=model_cache)
    embedder.load()
    return embedder


@pytest.fixture(scope="module")
def stock_vectors() -> NDArray[np.float32]:
    """What sentence-transformers computes by itself."""
    stock = sentence_transformer(packaged_model())
    vectors: NDArray[np.float32] = stock.encode(COMPARED, show_progress_bar=False)
    return vectors


def assert_alike(vectors: NDArray[np.float32], others: NDArray[np.float32]) -> None:
    """Row by row. In bfloat16 a sum depends on the shape of its batch: 0.00001 in the cosine."""
    cosines = np.sum(vectors * others, axis=1)
    assert cosines.min() > 0.9999


class EmbedderContract:
    """What every embedder promises; see the port."""

    @pytest.fixture
    def embedder(self) -> Embedder:
        raise NotImplementedError

    def test_every_text_gets_a_unit_vector(self, embedder: Embedder) -> None:
        vectors = embedder.embed(chat(50))

        assert vectors.shape == (50, embedder.model.dimensions)
        assert vectors.dtype == np.float32
        assert vectors.flags.c_contiguous
        np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)

    def test_no_texts_give_no_vectors(self, embedder: Embedder) -> None:
        done: list[int] = []
        vectors = embedder.embed([], on_progress=done.append)
        assert (vectors.shape, vectors.dtype) == ((0, embedder.model.dimensions), np.float32)
        assert sum(done) == 0

    def test_vectors_are_in_the_order_of_the_texts(self, embedder: Embedder) -> None:
        texts = chat(60)
        there = embedder.embed(texts)
        back = embedder.embed(texts[::-1])[::-1]
        assert_alike(there, back)

    def test_a_text_has_one_vector_whatever_its_neighbours_are(self, embedder: Embedder) -> None:
        texts = chat(40)
        together = embedder.embed(texts)
        alone = np.concatenate([embedder.embed([text]) for text in texts])
        assert_alike(together, alone)

    def test_equal_texts_have_equal_vectors(self, embedder: Embedder) -> None:
        vectors = embedder.embed(["yes", "no way", "yes", "yes"])
        np.testing.assert_array_equal(vectors[0], vectors[2])
        np.testing.assert_array_equal(vectors[0], vectors[3])

    def test_progress_adds_up_to_the_number_of_texts(self, embedder: Embedder) -> None:
        """Repeated texts count too."""
        done: list[int] = []
        embedder.embed([*chat(300), *["ok"] * 20], on_progress=done.append)
        assert sum(done) == 320
        assert min(done) > 0

    @pytest.mark.parametrize(
        "text",
        [
            "",
            " ",
            "\n\t",
            "word " * 10_000,
            "x" * 100_000,
            "🎉👍🏽👨‍👩‍👧",
            "\ud83d alone \udc00",
            "\x00",
            "[PAD]",
        ],
        ids=["empty", "space", "blank", "long", "one word", "emoji", "surrogate", "nul", "pad"],
    )
    def test_any_text_has_a_vector(self, embedder: Embedder, text: str) -> None:
        vectors = embedder.embed([text, "hello"])
        np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)

    def test_texts_about_the_same_are_nearer(self, embedder: Embedder) -> None:
        query, near, far = embedder.embed(
            ["install the wifi driver", "how do I install a driver for wifi", "lunch at noon?"]
        )
        assert query @ near > query @ far + 0.2

    def test_several_threads_may_call_at_once(self, embedder: Embedder) -> None:
        parts = [chat(30, seed=seed) for seed in range(6)]
        expected = [embedder.embed(part) for part in parts]
        with ThreadPoolExecutor(6) as pool:
            found = list(pool.map(embedder.embed, parts))
        np.testing.assert_allclose(expected, found, atol=1e-5)


class TestHashEmbedder(EmbedderContract):
    @pytest.fixture
    def embedder(self) -> Embedder:
        return HashEmbedder()


class TestMiniLmEmbedder(EmbedderContract):
    @pytest.fixture
    def embedder(self, minilm_embedder: MiniLmEmbedder) -> Embedder:
        return minilm_embedder


@pytest.mark.parametrize("engine", ["openvino", "torch"])
def test_vectors_are_those_of_sentence_transformers(
    engine: minilm.EngineName, model_cache: Path, stock_vectors: NDArray[np.float32]
) -> None:
    """Cosine of at least 0.999 to plain encode, for every text."""
    found = MiniLmEmbedder(engine=engine, cache_dir=model_cache).embed(COMPARED)
    assert np.sum(stock_vectors * found, axis=1).min() >= 0.999


def test_weights_that_are_not_the_published_ones_are_refused(tmp_path: Path) -> None:
    """The message names the file, what was expected and what was found."""
    weights = tmp_path / "model.safetensors"
    weights.write_bytes(b"changed")
    with pytest.raises(EmbedderUnavailableError) as refusal:
        MiniLmEmbedder(model_dir=tmp_path).embed(["hello"])

    found = hashlib.sha256(b"changed").hexdigest()
    assert str(refusal.value) == f"{weights}: expected SHA-256 {SHA256}, found {found}"


def test_missing_weights_are_told(tmp_path: Path) -> None:
    with pytest.raises(EmbedderUnavailableError, match="No such file"):
        MiniLmEmbedder(model_dir=tmp_path).load()


@pytest.fixture
def without_openvino(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "openvino", None)


def test_pytorch_stands_in_where_openvino_is_missing(
    without_openvino: None, caplog: pytest.LogCaptureFixture
) -> None:
    """And says why it is slow."""
    embedder = MiniLmEmbedder()
    with caplog.at_level(logging.WARNING):
        assert embedder.engine in {"torch float32", "torch bfloat16"}
    assert "OpenVINO is not installed" in caplog.text
    assert embedder.embed(["hello"]).shape == (1, 384)


def test_openvino_asked_for_by_name_has_no_stand_in(without_openvino: None) -> None:
    with pytest.raises(EmbedderUnavailableError, match="OpenVINO is not installed"):
        MiniLmEmbedder(engine="openvino").load()


def test_a_damaged_conversion_is_made_again(model_cache: Path, tmp_path: Path) -> None:
    """A second start reads what the first one kept, but never trusts it."""
    cache = tmp_path / "models"
    MiniLmEmbedder(engine="openvino", cache_dir=model_cache).load()
    shutil.copytree(model_cache, cache)
    [kept] = cache.glob("minilm-*")
    sound = (kept / "model.bin").read_bytes()
    (kept / "model.bin").write_bytes(b"\0" * len(sound))

    vectors = MiniLmEmbedder(engine="openvino", cache_dir=cache).embed(["hello"])

    assert (kept / "model.bin").read_bytes() == sound
    assert np.isfinite(vectors).all()
    assert [kept] == [path for path in cache.iterdir() if path.is_dir()]


def test_openvino_never_reports_home(model_cache: Path) -> None:
    """Its telemetry sends on import unless it is absent; a second start needs no PyTorch either."""
    program = (
        "import sys; from pathlib import Path\n"
        "from infrastructure.embedders.minilm import MiniLmEmbedder\n"
        "print(MiniLmEmbedder(cache_dir=Path(sys.argv[1])).engine)\n"
        "assert sys.modules['openvino_telemetry'] is None\n"
        "assert 'torch' not in sys.modules\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(model_cache)],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("openvino ")


def test_an_error_of_on_progress_ends_the_call_and_frees_the_model(
    minilm_embedder: MiniLmEmbedder,
) -> None:
    def stop(done: int) -> None:
        raise RuntimeError("stopped")

    with pytest.raises(RuntimeError, match="stopped"):
        minilm_embedder.embed(chat(200), on_progress=stop)
    assert minilm_embedder.embed(["hello"]).shape == (1, 384)


def test_an_engine_that_fails_makes_the_embedder_unavailable(
    minilm_embedder: MiniLmEmbedder, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(self: object, slot: int, batch: object) -> None:
        raise EngineUnavailableError("out of memory")

    monkeypatch.setattr(openvino_engine.OpenVinoEngine, "_start", fail)
    with pytest.raises(EmbedderUnavailableError, match="out of memory"):
        minilm_embedder.embed(["hello"])


def test_every_text_is_in_one_batch_and_little_is_padding() -> None:
    chance = random.Random(1)
    tokens = [[7] * (2 + int(chance.lognormvariate(2.4, 0.8))) for _ in range(3000)]
    tokens = [text[:256] for text in tokens]

    made = batches(tokens, workers=2)

    rows = np.concatenate([batch.rows for batch in made])
    assert sorted(rows.tolist()) == list(range(3000))
    for batch in made:
        assert batch.ids.size <= MOST_TOKENS
        assert batch.mask.sum(axis=1).tolist() == [len(tokens[row]) for row in batch.rows]
    computed = sum(batch.ids.size for batch in made)
    assert computed < 1.02 * sum(map(len, tokens))
    assert batches([], workers=2) == []


def test_bfloat16_is_used_only_where_the_processor_has_it(tmp_path: Path) -> None:
    cpuinfo = tmp_path / "cpuinfo"
    cpuinfo.write_text("processor\t: 0\nflags\t\t: fpu avx2 avx512_bf16 sse\n", encoding="utf-8")
    assert has_bfloat16(cpuinfo)
    cpuinfo.write_text("processor\t: 0\nflags\t\t: fpu avx2 sse\n", encoding="utf-8")
    assert not has_bfloat16(cpuinfo)
    assert not has_bfloat16(tmp_path / "missing")
