"""A language model behind one small interface: `stream(messages)` and `continue_text(text)`.

Three engines. llama.cpp, in this process, is the default on a CPU; `transformers` runs any causal
model of the hub and uses a GPU; a server that speaks the OpenAI chat API is the third. Choose with
EXPLAINER_MODEL (a hub name, a folder, or a .gguf file) or EXPLAINER_MODEL_URL.
"""

from __future__ import annotations

import json
import math
import os
import queue
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from explainers.reply import Token

Message = Mapping[str, str]  # {"role": "system" | "user" | "assistant", "content": ...}

OURS = "HuggingFaceTB/SmolLM2-135M-Instruct"  # the default model's name on the hub
END_MARKS = ("<|im_end|>", "<|endoftext|>", "</s>", "<|im_start|>")


class LanguageModelError(RuntimeError):
    """The model cannot be had or does not answer. The text says what to do."""


class LanguageModel(Protocol):
    """What an engine offers. Closing an iterator stops the model.

    temperature: 0 takes the likeliest token every time. top_p: 0..1, the share of probability that
    sampling may choose from. alternatives: how many other tokens to report, 0..20.
    """

    name: str

    def stream(self, messages: Sequence[Message], *, max_tokens: int = 160, temperature: float = 0.0,
               top_p: float = 1.0, seed: int = 0, alternatives: int = 5) -> Iterator[Token]:  # fmt: skip
        """Answer a conversation. A last message of the role assistant is continued."""
        ...

    def continue_text(self, text: str, *, max_tokens: int = 60, temperature: float = 0.0,
                      top_p: float = 1.0, seed: int = 0, alternatives: int = 10) -> Iterator[Token]:  # fmt: skip
        """Write on after `text`, with no conversation around it."""
        ...


def open_language_model(environ: Mapping[str, str] = os.environ) -> LanguageModel:
    """The engine that the environment asks for; ours on llama.cpp when it asks for none."""
    if url := environ.get("EXPLAINER_MODEL_URL"):
        return OpenAIServer(
            url, environ.get("EXPLAINER_MODEL", "default"), environ.get("EXPLAINER_MODEL_KEY", "")
        )
    name = environ.get("EXPLAINER_MODEL", "")
    if name and not name.endswith(".gguf"):
        return Transformers(name)
    from assets.quantize import language_model

    return LlamaCpp(Path(name) if name else language_model(), threads=threads(environ))


def open_published_model(environ: Mapping[str, str] = os.environ) -> LanguageModel:
    """Our default model as it was published, before it was taught to be this tutor. For one or two at a time."""
    from assets.quantize import language_model

    return LlamaCpp(language_model(adapter=None), threads=threads(environ), context=2048, slots=2, kept=0)


def chosen(environ: Mapping[str, str] = os.environ) -> bool:
    """Whether the environment names a language model of its own."""
    return bool(environ.get("EXPLAINER_MODEL") or environ.get("EXPLAINER_MODEL_URL"))


def threads(environ: Mapping[str, str]) -> int:
    """How many threads read prompts; EXPLAINER_THREADS says otherwise."""
    return int(environ.get("EXPLAINER_THREADS") or min(4, os.cpu_count() or 2))


class Lazy:
    """A language model that is opened when it is first asked."""

    name = "lazy"

    def __init__(self, open_it: Callable[[], LanguageModel]) -> None:
        self._open, self._lock = open_it, threading.Lock()
        self._model: LanguageModel | None = None

    def _opened(self) -> LanguageModel:
        with self._lock:
            self._model = self._model or self._open()
        return self._model

    def stream(self, messages: Sequence[Message], **options: Any) -> Iterator[Token]:
        return self._opened().stream(messages, **options)

    def continue_text(self, text: str, **options: Any) -> Iterator[Token]:
        return self._opened().continue_text(text, **options)


# ------------------------------------------------------------------ the OpenAI chunk format


def tokens_of(chunk: Mapping[str, Any], alternatives: int = 20) -> Iterator[Token]:
    """Tokens of one chunk of a chat or text completion as OpenAI, vLLM and llama.cpp send it."""
    for choice in chunk.get("choices", ())[:1]:
        text = choice.get("text") or (choice.get("delta") or {}).get("content") or ""
        details = (choice.get("logprobs") or {}).get("content") or []
        if text and len(details) == 1:
            yield _token(text, details[0], alternatives)
        elif text:
            yield Token(text)


def _token(text: str, detail: Mapping[str, Any], alternatives: int) -> Token:
    weighed = [(one["token"], math.exp(one["logprob"])) for one in detail.get("top_logprobs") or []]
    others = tuple((other, p) for other, p in weighed if other != detail.get("token"))
    return Token(text, math.exp(detail["logprob"]), others[:alternatives])


def _until_end(tokens: Iterator[Token]) -> Iterator[Token]:
    """Stop before a template piece that a model may write out."""
    for token in tokens:
        if any(mark in token.text for mark in END_MARKS):
            return
        yield token


# ---------------------------------------------------------------------------------- llama.cpp


class LlamaCpp:
    """A GGUF file on llama.cpp, in this process, through the xllamacpp wheel.

    Four answers run at once, in batches, of 1,024 tokens each with their prompts. Prompts that recur
    are kept in memory (`kept`, in MB), so a question that was asked before is answered at once.
    """

    def __init__(
        self, weights: Path, *, threads: int = 2, context: int = 4096, slots: int = 4, kept: int = 64
    ) -> None:
        import xllamacpp

        if not weights.exists():
            raise LanguageModelError(
                f"There is no model file {weights.name}. Check EXPLAINER_MODEL."
            )
        params = xllamacpp.CommonParams()
        params.model.path = str(weights)
        params.n_ctx, params.n_parallel = context, slots
        # One token at a time is so little work that a second thread costs more in waiting than it
        # brings, and is ruinous beside another busy program; prompts and batches use them all.
        params.cpuparams.n_threads = 1
        params.cpuparams_batch.n_threads = threads
        params.cache_ram_mib = kept
        params.verbosity = -1
        params.no_perf = True
        self.name = weights.stem
        self._server = xllamacpp.Server(params)

    def stream(self, messages: Sequence[Message], *, max_tokens: int = 160, temperature: float = 0.0,
               top_p: float = 1.0, seed: int = 0, alternatives: int = 5) -> Iterator[Token]:  # fmt: skip
        request = {
            "messages": [dict(one) for one in messages],
            "logprobs": True,
            "top_logprobs": alternatives + 1,
        }
        request |= _sampling(max_tokens, temperature, top_p, seed)
        return _until_end(_called_back(self._server.handle_chat_completions, request, alternatives))

    def continue_text(self, text: str, *, max_tokens: int = 60, temperature: float = 0.0,
                      top_p: float = 1.0, seed: int = 0, alternatives: int = 10) -> Iterator[Token]:  # fmt: skip
        request = {"prompt": text, "logprobs": alternatives + 1} | _sampling(
            max_tokens, temperature, top_p, seed
        )
        return _until_end(_called_back(self._server.handle_completions, request, alternatives))


def _sampling(max_tokens: int, temperature: float, top_p: float, seed: int) -> dict[str, Any]:
    return {"max_tokens": max_tokens, "temperature": temperature, "top_p": top_p, "top_k": 0, "min_p": 0.0,
            "seed": seed, "stream": True, "cache_prompt": True}  # fmt: skip


def _called_back(
    handle: Callable[..., Any], request: dict[str, Any], alternatives: int
) -> Iterator[Token]:
    """Turn a call that reports chunks to a function into an iterator that can be closed."""
    chunks: queue.Queue[Any] = queue.Queue()
    stopped = threading.Event()

    def report(chunk: Any) -> bool:
        chunks.put(json.loads(chunk) if isinstance(chunk, str | bytes) else chunk)
        return stopped.is_set()

    def work() -> None:
        try:
            handle(request, report)
        except Exception as problem:
            chunks.put(problem)
        chunks.put(None)

    threading.Thread(target=work, daemon=True, name="llama.cpp").start()
    try:
        while (chunk := chunks.get()) is not None:
            if isinstance(chunk, Exception) or "error" in chunk:
                raise LanguageModelError(
                    f"The language model could not answer ({chunk}). Try again."
                )
            yield from tokens_of(chunk, alternatives)
    finally:
        stopped.set()


# ------------------------------------------------------------------------------- transformers


class Transformers:
    """Any causal language model that transformers can load, on a GPU when there is one.

    Our own comes from the fetched package, with what we taught it; every other from a folder or the hub.
    """

    def __init__(self, name: str) -> None:
        import torch

        self.name = name
        self._device = "cuda" if torch.cuda.is_available() else "cpu"
        self._tokenizer, model = _load_ours() if name == OURS else _load(name)
        self._model = model.to(self._device, torch.bfloat16).eval()

    def stream(self, messages: Sequence[Message], **options: Any) -> Iterator[Token]:
        goes_on = messages[-1]["role"] == "assistant"
        prompt = self._tokenizer.apply_chat_template(
            [dict(one) for one in messages], tokenize=False,
            add_generation_prompt=not goes_on, continue_final_message=goes_on,
        )  # fmt: skip
        return self.continue_text(prompt, **{"max_tokens": 160, "alternatives": 5, **options})

    def continue_text(self, text: str, *, max_tokens: int = 60, temperature: float = 0.0,
                      top_p: float = 1.0, seed: int = 0, alternatives: int = 10) -> Iterator[Token]:  # fmt: skip
        import torch

        generator = torch.Generator().manual_seed(seed)
        new = self._tokenizer(text, return_tensors="pt", add_special_tokens=False).input_ids.to(
            self._device
        )
        cache, written, shown = None, [], ""
        for _ in range(max_tokens):
            with torch.inference_mode():
                step = self._model(new, past_key_values=cache, use_cache=True)
            cache, logits = step.past_key_values, step.logits[0, -1].float().cpu()  # [vocabulary]
            chosen = sample(logits, temperature, top_p, generator)
            if chosen in self._ends():
                return
            written.append(chosen)
            whole = self._tokenizer.decode(written)
            if not whole.endswith("\N{REPLACEMENT CHARACTER}"):  # a letter may need several tokens
                yield self._described(whole[len(shown) :], chosen, logits, alternatives)
                shown = whole
            new = torch.tensor([[chosen]], device=self._device)

    def _ends(self) -> set[int]:
        ends = self._model.generation_config.eos_token_id
        return set(ends if isinstance(ends, list) else [ends]) | {self._tokenizer.eos_token_id}

    def _described(self, text: str, chosen: int, logits: Any, alternatives: int) -> Token:
        probabilities = logits.softmax(-1)
        top = probabilities.topk(alternatives + 1)
        others = [(self._tokenizer.decode([i]), p) for p, i in zip(top.values.tolist(), top.indices.tolist(), strict=True)
                  if i != chosen]  # fmt: skip
        return Token(text, float(probabilities[chosen]), tuple(others[:alternatives]))


def _load(name: str | Path, **options: Any) -> tuple[Any, Any]:
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(name, **options)
    return tokenizer, AutoModelForCausalLM.from_pretrained(name, **options)


def _load_ours() -> tuple[Any, Any]:
    """The published weights with the adapter added, as llama.cpp gets them too."""
    import importlib.util

    if not importlib.util.find_spec("accelerate"):
        raise LanguageModelError(f"transformers reads {OURS} only with accelerate. Install it: pip install accelerate")
    import torch

    import assets
    from assets.adapter import read_adapter
    from assets.quantize import ADAPTER

    file = assets.path("smollm2")
    tokenizer, model = _load(file.parent, gguf_file=file.name)
    for name, (a, b) in read_adapter(ADAPTER).items():
        model.get_submodule(name).weight.data += torch.from_numpy(b @ a)
    return tokenizer, model


def sample(logits: Any, temperature: float, top_p: float, generator: Any) -> int:
    """One token id from logits [vocabulary]: nucleus sampling (Holtzman et al., 2020)."""
    if temperature <= 0:
        return int(logits.argmax())
    probabilities, order = (logits / temperature).softmax(-1).sort(descending=True)
    before = probabilities.cumsum(-1) - probabilities
    kept = probabilities.where(before < max(top_p, 1e-6), 0)
    return int(order[kept.multinomial(1, generator=generator)])


# ------------------------------------------------------------------------------ OpenAI's API


class OpenAIServer:
    """A server that speaks the OpenAI API: vLLM, llama.cpp's own server, Ray Serve and others."""

    def __init__(self, url: str, model: str, key: str = "") -> None:
        self.name = model
        self._url = url.rstrip("/")
        self._headers = {"Authorization": f"Bearer {key}"} if key else {}

    def stream(self, messages: Sequence[Message], *, max_tokens: int = 160, temperature: float = 0.0,
               top_p: float = 1.0, seed: int = 0, alternatives: int = 5) -> Iterator[Token]:  # fmt: skip
        request = {"model": self.name, "messages": [dict(one) for one in messages], "max_tokens": max_tokens,
                   "temperature": temperature, "top_p": top_p, "seed": seed, "stream": True,
                   "logprobs": True, "top_logprobs": alternatives}  # fmt: skip
        return _until_end(self._post("/chat/completions", request))

    def continue_text(self, text: str, *, max_tokens: int = 60, temperature: float = 0.0,
                      top_p: float = 1.0, seed: int = 0, alternatives: int = 10) -> Iterator[Token]:  # fmt: skip
        request = {"model": self.name, "prompt": text, "max_tokens": max_tokens, "temperature": temperature,
                   "top_p": top_p, "seed": seed, "stream": True, "logprobs": alternatives}  # fmt: skip
        return _until_end(self._post("/completions", request))

    def _post(self, path: str, request: dict[str, Any]) -> Iterator[Token]:
        import httpx

        try:
            with httpx.stream(
                "POST", self._url + path, json=request, headers=self._headers, timeout=60
            ) as answer:
                if answer.status_code != 200:
                    raise LanguageModelError(
                        f"The model server answered {answer.status_code}. Check EXPLAINER_MODEL."
                    )
                for line in answer.iter_lines():
                    if line.startswith("data: ") and line != "data: [DONE]":
                        yield from tokens_of(json.loads(line[6:]))
        except httpx.HTTPError as problem:
            raise LanguageModelError(
                f"The model server does not answer ({problem}). Check EXPLAINER_MODEL_URL."
            ) from None
