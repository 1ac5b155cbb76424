"""Are answers sound in form? Asks a thousand questions of the bank and looks at every answer.

    python -m benchmarks.soundness [--count 1000]

Counts answers that are too long, that repeat themselves, that hold a piece of the chat template, and
sentences that no cited passage supports, word for word or shortened. None of this says that an
answer is right; benchmarks/answers.py does.
"""

from __future__ import annotations

import argparse
import os
import random
import re
import statistics
import sys
from collections import Counter
from collections.abc import Iterator

from explainers.grounding import Grounding
from explainers.language_model import END_MARKS
from explainers.reply import Reply
from explainers.topics import split_sentences

LONGEST = 120  # words
PIECES = (*END_MARKS, "<|", "system\n", "assistant\n", "user\n")
LOOP = 6  # words that follow each other twice in one answer


def faults(reply: Reply) -> Iterator[str]:
    """What is wrong with the form of an answer, one name each."""
    if len(reply.answer.split()) > LONGEST:
        yield "longer than 120 words"
    if any(piece in reply.answer for piece in PIECES):
        yield "a piece of the template"
    if repeats(reply.answer):
        yield "repeats itself"


def repeats(text: str) -> bool:
    """Does a sentence, or a run of LOOP words, stand twice in the text?"""
    words = re.findall(r"\w+", text.lower())
    runs = Counter(tuple(words[start : start + LOOP]) for start in range(len(words) - LOOP + 1))
    return max(runs.values(), default=0) > 1


def unsupported(reply: Reply) -> list[str]:
    """The model's sentences that no cited passage supports."""
    cited = [sentence for citation in reply.citations for sentence in split_sentences(citation.quote)]
    written = [span.text.strip() for span in reply.spans if span.tokens]
    return [sentence for sentence in written if not Grounding(cited).check(sentence).supported]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=1000)
    wanted = parser.parse_args()

    import demos
    from app import open_real_tutor
    from training.tutor.bank import read_bank

    tutor = open_real_tutor(demos.load())
    examples = random.Random(0).sample(read_bank(tutor.topics), wanted.count)
    found, kinds, seconds, loose = Counter(), Counter(), [], []
    for number, example in enumerate(examples, 1):
        *_, reply = tutor.reply(example.question)
        found.update(faults(reply))
        kinds.update("written" if span.tokens else "quoted" for span in reply.spans if span.tokens or span.quoted)
        loose += unsupported(reply)
        seconds.append(reply.seconds["total"])
        print(f"\r{number} of {wanted.count}", end="", file=sys.stderr, flush=True)
    print(f"\n{wanted.count} answers; {dict(found) or 'no faults of form'}; {len(loose)} unsupported sentences")
    print(f"sentences: {kinds['written']} written by the model, {kinds['quoted']} quoted")
    print(f"seconds: median {statistics.median(seconds):.2f}, slowest {max(seconds):.2f}")
    return 0


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    os._exit(code)
