"""How fast is an answer, beside the two ways that most pages would take with the same model?

    python -m benchmarks.speed [--quick]

One run, the same questions for all. Ours is `Tutor.reply`, on questions whose topics it has not
been asked about since it started ("cold") and on the same ones again ("warm"); its first words are
a sentence of a passage, word for word. The two others are given the same passages in their prompt
and write as many tokens as our answer has:

- llama.cpp, the weights as shipped (Q4_1), keeping no prompt;
- transformers, the same weights as 32-bit floats, one visitor at a time, as a page that calls
  `generate` in a Gradio event does.

Every engine has a process of its own, one after the other, so that they never compete. Memory is
what stays resident after the round. Run it on a machine that does nothing else: two busy programs
on two cores slow llama.cpp down by far more than a half.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import socket
import statistics
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
QUESTIONS = (  # in turn one that the question bank knows, and one that it does not
    "How does a GAN work?",
    "my cousin wonders how those two rival nets of a GAN can get better together over time",
    "What is the difference between machine learning and generative AI?",
    "our model was brilliant on the old sales and hopeless on the new ones, what went wrong?",
    "What is a token?",
    "by what trick can a shop guess which film I would enjoy tonight",
    "Why do language models hallucinate?",
    "from a grey flicker to a castle: what does the picture program do at each step",
)
INSTRUCTION = "Answer in two to four short sentences, using only these passages."
NAMES = {
    "ours": "this tutor",
    "llama.cpp": "llama.cpp, Q4_1 as shipped, no prompt cache",
    "transformers": "transformers, 32-bit, one at a time",
}


@dataclass(frozen=True)
class Job:
    """What a plain chat is asked: the messages, passages in them, and how much it has to write."""

    messages: list[dict[str, str]]
    tokens: int


@dataclass(frozen=True)
class Timing:
    """One answer. Seconds from the question to the first token and to the last."""

    first: float
    total: float
    tokens: int


Engine = Callable[[int], Timing]  # the number of a question -> how long its answer took


# ------------------------------------------------------------------------ the three engines


def timing(pieces: Iterable[Any], tokens: int) -> Timing:
    """Run through `pieces`, an answer as it comes."""
    begun, first = time.perf_counter(), 0.0
    for _ in pieces:
        first = first or time.perf_counter() - begun
    return Timing(first, time.perf_counter() - begun, tokens)


def ours(jobs: Sequence[Job]) -> Engine:
    """The tutor, whole: finding passages, phrasing, checking."""
    from explainers.tutor import open_tutor

    tutor = open_tutor()
    return lambda i: timing(tutor.reply(QUESTIONS[i]), jobs[i].tokens)


def llama_cpp(jobs: Sequence[Job]) -> Engine:
    """llama.cpp on the file as it is published, every prompt read afresh."""
    import xllamacpp

    import assets

    params = xllamacpp.CommonParams()
    params.model.path = str(assets.path("smollm2"))
    params.n_ctx, params.n_parallel, params.cache_ram_mib = 8192, 4, 0
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = threads()
    params.verbosity = -1
    server = xllamacpp.Server(params)

    def answer(i: int) -> Timing:
        fixed = {"max_tokens": jobs[i].tokens, "ignore_eos": True, "temperature": 0}
        request = {"messages": jobs[i].messages, "stream": True, "cache_prompt": False, **fixed}
        arrived: list[float] = []
        begun = time.perf_counter()
        server.handle_chat_completions(request, lambda _: arrived.append(time.perf_counter()))
        return Timing(arrived[0] - begun, arrived[-1] - begun, jobs[i].tokens)

    return answer


def transformers(jobs: Sequence[Job]) -> Engine:
    """`generate`, as in most examples; a lock stands for Gradio's default of one run at a time."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    import assets

    torch.set_num_threads(threads())
    file = assets.path("smollm2")
    tokenizer = AutoTokenizer.from_pretrained(file.parent, gguf_file=file.name)
    model = AutoModelForCausalLM.from_pretrained(
        file.parent, gguf_file=file.name, dtype=torch.float32
    )
    one_at_a_time = threading.Lock()

    def answer(i: int) -> Timing:
        watch, begun = Stopwatch(), time.perf_counter()
        with one_at_a_time:
            prompt = tokenizer.apply_chat_template(
                jobs[i].messages, add_generation_prompt=True, return_tensors="pt", return_dict=True
            )
            length = {"min_new_tokens": jobs[i].tokens, "max_new_tokens": jobs[i].tokens}
            model.generate(**prompt, **length, do_sample=False, streamer=watch)
        return Timing(watch.arrived[1] - begun, watch.arrived[-1] - begun, jobs[i].tokens)

    return answer


class Stopwatch:
    """A streamer for `generate` that notes when the prompt (first) and each token arrived."""

    def __init__(self) -> None:
        self.arrived: list[float] = []

    def put(self, tokens: Any) -> None:
        self.arrived.append(time.perf_counter())

    def end(self) -> None:
        """Nothing is kept back, so there is nothing to do."""


ENGINES = {"ours": ours, "llama.cpp": llama_cpp, "transformers": transformers}


def threads() -> int:
    """As many threads for each engine as the tutor takes."""
    return int(os.environ.get("EXPLAINER_THREADS") or min(4, os.cpu_count() or 2))


# ------------------------------------------------------------------- one engine, one process


class Listening:
    """A language model that also keeps the prompts it was given."""

    def __init__(self, model: Any) -> None:
        self._model, self.heard = model, []

    def stream(self, messages: list[dict[str, str]], **options: Any) -> Any:
        self.heard.append(messages)
        return self._model.stream(messages, **options)


def jobs_of(count: int) -> list[Job]:
    """What the plain chats are asked: our prompts, and our answers' lengths in tokens."""
    from transformers import AutoTokenizer

    import assets
    from explainers.tutor import open_tutor

    file, tutor = assets.path("smollm2"), open_tutor()
    tokenizer = AutoTokenizer.from_pretrained(file.parent, gguf_file=file.name)
    tutor.language_model = Listening(tutor.language_model)
    return [job_of(tutor, question, tokenizer) for question in QUESTIONS[:count]]


def job_of(tutor: Any, question: str, tokenizer: Any) -> Job:
    """One question. An answer of quotes alone asked our model nothing: its passages are taken."""
    tutor.language_model.heard.clear()
    *_, reply = tutor.reply(question)
    quotes = "\n\n".join(citation.quote for citation in reply.citations)
    plain = [{"role": "system", "content": f"{INSTRUCTION}\n\n{quotes}"}]
    plain += [{"role": "user", "content": question}]
    prompts = [*tutor.language_model.heard, plain]
    asked = [one for one in prompts[0] if one["role"] != "assistant"]  # nothing is said beforehand
    return Job(asked, len(tokenizer(reply.answer)["input_ids"]))


def measure(name: str, users: int, rounds: int, jobs: Sequence[Job]) -> list[dict[str, float]]:
    """Load an engine and let `users` ask all questions, `rounds` times; one row for each round."""
    begun = time.perf_counter()
    engine = ENGINES[name](jobs)
    loaded = time.perf_counter() - begun
    return [{"load": loaded, **one_round(engine, users, len(jobs))} for _ in range(rounds)]


def one_round(engine: Engine, users: int, count: int) -> dict[str, float]:
    """All questions once, by `users` at a time. Medians, tokens a second of all together, MB."""
    begun = time.perf_counter()
    with ThreadPoolExecutor(users) as pool:
        answers = list(pool.map(engine, range(count)))
    wall = time.perf_counter() - begun
    return {
        "first": statistics.median(one.first for one in answers),
        "total": statistics.median(one.total for one in answers),
        "rate": sum(one.tokens for one in answers) / wall,
        "memory": resident(os.getpid()),
    }


def resident(pid: int) -> float:
    """Resident memory of a process and its children, in MB."""
    import psutil

    process = psutil.Process(pid)
    family = [process, *process.children(recursive=True)]
    return sum(one.memory_info().rss for one in family) / 1e6


def apart(task: Mapping[str, Any]) -> Any:
    """Do `task` in a process of its own; what it prints last is its result, in JSON."""
    told = subprocess.run(
        [sys.executable, "-m", "benchmarks.speed", "--task", json.dumps(task)],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    if told.returncode:
        sys.exit(f"{task.get('name', 'preparing')} failed:\n{told.stderr[-3000:]}")
    return json.loads(told.stdout.strip().splitlines()[-1])


def do(task: dict[str, Any]) -> Any:
    """A task from `apart`, in this process."""
    if "count" in task:
        return [asdict(job) for job in jobs_of(task["count"])]
    task["jobs"] = [Job(**job) for job in task["jobs"]]
    return measure(**task)


# -------------------------------------------------------------------------------- start-up


def start_up() -> dict[str, float]:
    """Seconds from `python app.py` to a page and to a tutor that is ready; its memory then, MB."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    begun = time.perf_counter()
    app = subprocess.Popen(
        [sys.executable, "app.py"],
        cwd=ROOT,
        env={**os.environ, "GRADIO_SERVER_PORT": str(port), "GRADIO_SERVER_NAME": "127.0.0.1"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        page = until(app, f"http://127.0.0.1:{port}/", "", begun)
        ready = until(app, f"http://127.0.0.1:{port}/healthz", '"ready"', begun)
        return {"page": page, "ready": ready, "memory": resident(app.pid)}
    finally:
        app.kill()
        app.wait()


def until(app: subprocess.Popen, url: str, wanted: str, begun: float) -> float:
    """Seconds since `begun` at which `url` answered with `wanted` in it; ten minutes at most."""
    while time.perf_counter() - begun < 600 and app.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=5) as answer:
                if wanted in answer.read().decode():
                    return time.perf_counter() - begun
        except OSError:
            pass  # not up yet
        time.sleep(0.05)
    raise TimeoutError(f"{url} did not answer {wanted}; try `python app.py` to see why.")


# ---------------------------------------------------------------------------------- report


def machine() -> str:
    """What the figures were measured on."""
    model = platform.processor() or platform.machine()
    if (facts := Path("/proc/cpuinfo")).exists():
        names = [line for line in facts.read_text().splitlines() if line.startswith("model name")]
        model = names[0].split(":")[1].strip() if names else model
    used = ", ".join(f"{name} {version(name)}" for name in ("xllamacpp", "transformers", "torch"))
    return f"{model}, {os.cpu_count()} cores, {threads()} threads; {used}"


def line(name: str, users: int, row: Mapping[str, float]) -> str:
    """One row of the table."""
    seconds = f"{row['first']:.2f} | {row['total']:.2f} | {row['rate']:.0f}"
    return f"| {name} | {users} | {seconds} | {row['memory']:.0f} | {row['load']:.1f} |"


def ratios(rows: Mapping[tuple[str, int], Mapping[str, float]], users: int) -> str:
    """How many times longer the others take than we do, cold."""
    mine = rows["this tutor, cold", users]
    parts = []
    for name in (NAMES["llama.cpp"], NAMES["transformers"]):
        first, total = (rows[name, users][key] / mine[key] for key in ("first", "total"))
        parts.append(f"{name}: {first:.1f} times to the first words, {total:.1f} to the last")
    return f"Against ours (cold), {users} at once: " + "; ".join(parts) + "."


def compare(count: int, crowd: int) -> None:
    """Measure everything and print it."""
    print(machine(), flush=True)
    begun = start_up()
    page, ready, memory = begun["page"], begun["ready"], begun["memory"]
    print(f"\nStart-up: page {page:.1f} s, tutor ready {ready:.1f} s, {memory:.0f} MB then.\n")
    jobs = apart({"count": count})
    rows: dict[tuple[str, int], Mapping[str, float]] = {}
    print("| Engine | At once | First words, s | Whole answer, s | Tokens/s, all | MB | Load, s |")
    print("|---|--:|--:|--:|--:|--:|--:|", flush=True)
    for users in (1, crowd):
        for name in ENGINES:
            rounds = 2 if name == "ours" else 1
            got = apart({"name": name, "users": users, "rounds": rounds, "jobs": jobs})
            labels = [f"{NAMES[name]}, {heat}" for heat in ("cold", "warm")]
            for label, row in zip(labels if rounds == 2 else [NAMES[name]], got, strict=True):
                rows[label, users] = row
                print(line(label, users, row), flush=True)
    print("\n" + "\n\n".join(ratios(rows, users) for users in (1, crowd)))
    lengths = ", ".join(str(job["tokens"]) for job in jobs)
    print(f"\n{count} questions, seconds are medians; the answers' tokens: {lengths}.")


def main() -> int:
    """Compare, or do one task of a comparison."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="2 questions: does it work?")
    parser.add_argument("--task", type=json.loads, help=argparse.SUPPRESS)
    wanted = parser.parse_args()
    if wanted.task:
        print("\n" + json.dumps(do(wanted.task)), flush=True)
        os._exit(0)  # llama.cpp's threads may otherwise keep the process
    compare(2, 2) if wanted.quick else compare(len(QUESTIONS), 8)
    return 0


if __name__ == "__main__":
    sys.exit(main())
