"""The engines: llama.cpp with the real small model, transformers with a tiny one, a small server."""

from __future__ import annotations

import http.server
import itertools
import json
import math
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from explainers.language_model import (
    END_MARKS,
    OURS,
    LanguageModel,
    LanguageModelError,
    Lazy,
    LlamaCpp,
    OpenAIServer,
    Transformers,
    open_language_model,
    open_published_model,
    sample,
    tokens_of,
)
from explainers.phrasing import messages_for

CAPITAL = [{"role": "user", "content": "What is the capital of France? Answer in one sentence."}]


def text(tokens) -> str:
    return "".join(token.text for token in tokens)


# ------------------------------------------------------------- llama.cpp, and the tiny model


@pytest.fixture(scope="module")
def llama() -> LanguageModel:
    return open_published_model({"EXPLAINER_THREADS": "1"})


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> LanguageModel:
    """A Llama of two layers with random weights and a tokenizer of bytes: it babbles, reproducibly."""
    import tokenizers
    import transformers

    folder = tmp_path_factory.mktemp("tiny")
    letters = sorted(tokenizers.pre_tokenizers.ByteLevel.alphabet())
    vocabulary = {piece: index for index, piece in enumerate(["<|im_end|>", "<|im_start|>", *letters])}
    plain = tokenizers.Tokenizer(tokenizers.models.BPE(vocabulary, []))
    plain.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
    plain.decoder = tokenizers.decoders.ByteLevel()
    tokenizer = transformers.PreTrainedTokenizerFast(tokenizer_object=plain, eos_token="<|im_end|>")
    tokenizer.chat_template = (
        "{% for one in messages %}<|im_start|>{{ one.role }}\n{{ one.content }}<|im_end|>\n"
        "{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
    )
    tokenizer.save_pretrained(folder)
    torch.manual_seed(0)
    shape = transformers.LlamaConfig(
        vocab_size=len(vocabulary), hidden_size=32, intermediate_size=64, num_hidden_layers=2,
        num_attention_heads=2, bos_token_id=None, eos_token_id=0, initializer_range=0.5,
    )  # fmt: skip
    transformers.LlamaForCausalLM(shape).save_pretrained(folder)
    return open_language_model({"EXPLAINER_MODEL": str(folder)})


@pytest.fixture(params=["llama", "tiny"])
def engine(request: pytest.FixtureRequest) -> LanguageModel:
    return request.getfixturevalue(request.param)


def test_the_default_model_answers(llama):
    assert llama.name.startswith("SmolLM2-135M-Instruct")
    assert "Paris" in text(llama.stream(CAPITAL, max_tokens=30))


def test_a_started_answer_is_continued(llama):
    started = [*CAPITAL, {"role": "assistant", "content": "The capital of France is the city of"}]
    assert text(llama.stream(started, max_tokens=3)).startswith(" Paris")


def test_text_is_continued_without_a_conversation(llama):
    assert "6" in text(llama.continue_text("1, 2, 3, 4, 5,", max_tokens=4))


def test_tokens_carry_their_probability_and_what_else_was_weighed(engine):
    for token in engine.continue_text("Once upon a time", max_tokens=6, alternatives=4):
        assert 0 < token.probability <= 1
        weights = [weight for _, weight in token.alternatives]
        assert len(weights) <= 4 and weights == sorted(weights, reverse=True)
        assert sum(weights) + token.probability <= 1.01
        assert token.probability >= weights[0] - 1e-6  # at temperature 0 the likeliest is taken


def test_length_is_held_to(engine):
    assert len(list(engine.continue_text("The king", max_tokens=5))) <= 5


def test_the_same_seed_writes_the_same_and_another_does_not(engine):
    def write(seed: int) -> str:
        settings = {"max_tokens": 12, "temperature": 1.0, "top_p": 0.95}
        return text(engine.continue_text("The old king said", seed=seed, **settings))

    write(1)  # llama.cpp computes a prompt that it has not seen in other batches
    assert write(1) == write(1)
    assert len({write(seed) for seed in range(2, 6)}) > 1


def test_no_template_piece_is_written(engine):
    said = text(engine.stream([{"role": "user", "content": "Say hi."}], max_tokens=40))
    assert not [mark for mark in END_MARKS if mark in said]


def test_closing_stops_llama_cpp(llama):
    """The worker ends soon after, and not when its 1,500 tokens are written."""
    before = set(threading.enumerate())
    tokens = llama.continue_text("1, 2, 3, 4, 5, 6, 7,", max_tokens=1500)
    next(tokens)
    (worker,) = set(threading.enumerate()) - before
    tokens.close()
    worker.join(timeout=8)
    assert not worker.is_alive()
    assert "6" in text(llama.continue_text("1, 2, 3, 4, 5,", max_tokens=4))


def test_transformers_runs_the_same_fine_tuned_model():
    """Greedy, from one sentence, both engines begin alike; four bits and sixteen may part later."""
    asked = messages_for("Who judges the pictures in a GAN?", ["The discriminator is the judge in a GAN."])
    said = [text(open_language_model({"EXPLAINER_MODEL": name}).stream(asked, max_tokens=8)) for name in ("", OURS)]
    assert said[0].split()[:3] == said[1].split()[:3] == ["The", "discriminator", "is"]


def test_a_lazy_model_is_opened_once_and_late(tiny):
    opened = []
    lazy = Lazy(lambda: opened.append(1) or tiny)
    assert not opened
    assert text(lazy.continue_text("Once", max_tokens=2)) and text(lazy.stream(CAPITAL, max_tokens=2))
    assert opened == [1]


def test_a_model_file_that_is_missing_is_told(tmp_path: Path):
    with pytest.raises(LanguageModelError, match=r"no model file gone\.gguf.*EXPLAINER_MODEL"):
        open_language_model({"EXPLAINER_MODEL": str(tmp_path / "gone.gguf")})


def test_the_environment_chooses_the_engine(llama, tiny):
    assert isinstance(llama, LlamaCpp) and isinstance(tiny, Transformers)
    server = open_language_model({"EXPLAINER_MODEL_URL": "http://x/v1", "EXPLAINER_MODEL": "big"})
    assert isinstance(server, OpenAIServer) and server.name == "big"


# -------------------------------------------------------------------------------- sampling


def test_sampling_keeps_to_the_nucleus():
    """Of probabilities 0.5, 0.3, 0.15, 0.05, the first two make up 0.8; more is not looked at."""
    logits = torch.tensor([0.05, 0.5, 0.15, 0.3]).log()
    generator = torch.Generator().manual_seed(0)
    for top_p, allowed in ((0.01, {1}), (0.5, {1}), (0.75, {1, 3}), (0.9, {1, 2, 3}), (1.0, {0, 1, 2, 3})):
        assert {sample(logits, 1.0, top_p, generator) for _ in range(300)} == allowed
    assert {sample(logits, 0, 1.0, generator) for _ in range(9)} == {1}
    assert {sample(logits, 0.01, 1.0, generator) for _ in range(50)} == {1}


# ----------------------------------------------------------------------------- OpenAI's API


def chunk(content: str | None, logprob: float = -0.1, top: dict[str, float] | None = None) -> dict:
    weighed = [{"token": token, "logprob": lp} for token, lp in (top or {}).items()]
    detail = {"token": content, "logprob": logprob, "bytes": None, "top_logprobs": weighed}
    return {"object": "chat.completion.chunk", "choices": [
        {"index": 0, "delta": {"content": content}, "finish_reason": None, "logprobs": {"content": [detail]}}]}  # fmt: skip


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        ({"choices": [{"delta": {"role": "assistant", "content": None}, "logprobs": None}]}, []),
        ({"choices": [{"delta": {"content": "Hi"}}]}, [("Hi", None)]),
        ({"choices": [{"text": " a b"}]}, [(" a b", None)]),
        ({"choices": [{"delta": {}, "finish_reason": "stop"}]}, []),
        ({"choices": []}, []),
        ({"usage": {"total_tokens": 3}}, []),
        (chunk(" cat", math.log(0.5)), [(" cat", 0.5)]),
    ],
)
def test_chunks_become_tokens(sent: dict, said: list):
    assert [(token.text, token.probability) for token in tokens_of(sent)] == said


def test_alternatives_are_the_other_tokens_only():
    sent = chunk("a", math.log(0.5), {"a": math.log(0.5), "b": math.log(0.3), "c": math.log(0.1)})
    (token,) = tokens_of(sent, alternatives=1)
    assert token.alternatives == (("b", pytest.approx(0.3)),)


class Answering(http.server.BaseHTTPRequestHandler):
    """A server with one model: "good" answers in two chunks, every other one is an error."""

    def do_POST(self) -> None:
        self.server.asked.append(asked := json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self.server.keys.append(self.headers.get("Authorization"))
        self.send_response(200 if asked["model"] == "good" else 500)
        self.end_headers()
        lines = [json.dumps(chunk("Hello")), json.dumps(chunk(" you")), json.dumps(chunk("<|im_end|>")), "[DONE]"]
        self.wfile.write("".join(f"data: {line}\n\n" for line in lines).encode())

    def log_message(self, *_: object) -> None: ...


@pytest.fixture
def server() -> Iterator[http.server.HTTPServer]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answering) as serving:
        serving.asked, serving.keys = [], []
        threading.Thread(target=serving.serve_forever, daemon=True).start()
        yield serving
        serving.shutdown()


def test_a_server_streams_tokens(server):
    model = OpenAIServer(f"http://127.0.0.1:{server.server_port}/v1/", "good", "secret")
    assert [token.text for token in model.stream(CAPITAL, max_tokens=7, seed=3)] == ["Hello", " you"]
    assert text(itertools.islice(model.continue_text("Once"), 1)) == "Hello"
    first, second = server.asked
    assert (first["messages"], first["max_tokens"], first["seed"]) == (CAPITAL, 7, 3)
    assert second["prompt"] == "Once" and first["stream"] and second["stream"]
    assert server.keys == ["Bearer secret"] * 2


def test_a_server_that_fails_is_told_in_plain_words(server):
    model = OpenAIServer(f"http://127.0.0.1:{server.server_port}/v1", "bad")
    with pytest.raises(LanguageModelError, match=r"answered 500. Check EXPLAINER_MODEL"):
        list(model.stream(CAPITAL))
    with pytest.raises(LanguageModelError, match=r"does not answer .*EXPLAINER_MODEL_URL"):
        list(OpenAIServer("http://127.0.0.1:9/v1", "good").stream(CAPITAL))
