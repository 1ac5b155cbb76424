"""What the language model is asked, word for word the same in training and in use."""

from __future__ import annotations

from collections.abc import Sequence

FROM_MATERIAL = (
    "You are a tutor who explains machine learning and generative AI in plain words. "
    "Answer with facts from these sentences only. If they do not answer, say: I don't cover that.\n\n"
)
FROM_MEMORY = "You are a tutor who explains machine learning and generative AI in plain words. Answer from memory."
DECLINED = "I don't cover that."
READ = 6  # sentences that the model reads: what it reads first, the visitor waits for


def messages_for(question: str, sentences: Sequence[str], opening: str = "") -> list[dict[str, str]]:
    """A conversation that asks for an answer from `sentences`, best first, or from memory if there are none.

    opening: how the answer begins; the model goes on from it.
    """
    system = FROM_MATERIAL + "\n".join(f"- {one}" for one in sentences) if sentences else FROM_MEMORY
    asked = [{"role": "system", "content": system}, {"role": "user", "content": question}]
    return [*asked, {"role": "assistant", "content": opening}] if opening else asked
