"""Learn to rank the topics' sentences for a question, and measure the search.

    python -m training.ranking

After training/encoder.py. Embeds the sentences and the bank's questions with the trained encoder,
fits the network of explainers/ranking.py on the `rank` part of the bank (the probability of the
sentences to say, over all sentences), writes weights/encoder/{told,asked,ranking}.safetensors and
prints, for the `test` part, how each way of searching does.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import torch
from safetensors.numpy import save_file

import assets
from explainers.intent import read_intent
from explainers.library import SHIPPED, Encode, Library, digest, load_kept, open_encoders
from explainers.ranking import ASKED, NETWORK, TOLD, Asked, Network, Ranking, told
from explainers.topics import Topic, load_topics
from training.tutor.bank import MOST, Example, read_bank, split

SEED, WIDTH, EPOCHS, RATE, DECAY, DROPOUT = 0, 64, 16, 2e-3, 0.1, 0.3


def main() -> None:
    torch.manual_seed(SEED)
    topics = load_topics()
    plain, trained = open_encoders(assets.path("minilm"))
    bank = [one for one in read_bank(topics) if one.support]
    parts = split(bank, topics, plain)
    plain = remembering(plain, [one.question for one in parts["rank"] + parts["test"]])
    library = Library(topics, plain, load_kept(SHIPPED))
    trained = remembering(trained, [text for one in parts["rank"] + parts["test"] for text in (one.asked(topics), one.question)])
    taught = Ranking(library, trained, asked_of(parts["train"], topics, trained), None, load_kept(TOLD))
    taught.save(TOLD)
    network = fit(features_of(taught, parts["rank"], topics), [targets(taught, one) for one in parts["rank"]])
    asked = asked_of([*parts["train"], *parts["rank"]], topics, trained)
    save_file({name: np.ascontiguousarray(value) for name, value in vars(network).items()}, NETWORK)
    ranking = Ranking(library, trained, asked, network, load_kept(TOLD))
    print({name: len(part) for name, part in parts.items()})
    report(ranking, parts["test"], topics)
    save_asked(asked_of(bank, topics, trained))  # what ships knows the whole bank


def remembering(encode: Encode, texts: Sequence[str]) -> Encode:
    """The encoder with all `texts` embedded at once, which is much faster than one by one."""
    known = dict(zip(texts, encode(texts), strict=True))

    def remembered(wanted: Sequence[str]) -> np.ndarray:
        fresh = [text for text in wanted if text not in known]
        known.update(zip(fresh, encode(fresh), strict=True) if fresh else ())
        return np.stack([known[text] for text in wanted])

    return remembered


def asked_of(examples: Sequence[Example], topics: Mapping[str, Topic], encode: Encode) -> Asked:
    """Bank questions as the ranking holds them."""
    support = tuple(tuple(digest(told(topics[t], s)) for t, s in one.support) for one in examples)
    return Asked(encode([one.asked(topics) for one in examples]), support)


def save_asked(asked: Asked) -> None:
    names = np.zeros((len(asked.support), MOST, 8), np.uint8)
    for row, support in enumerate(asked.support):
        for column, name in enumerate(support[:MOST]):
            names[row, column] = np.frombuffer(bytes.fromhex(name), np.uint8)
    save_file({"vectors": asked.vectors.astype(np.float16), "support": names}, ASKED)


def about(example: Example) -> str | None:
    """The topic under discussion, for a question that leans on earlier turns."""
    return example.support[0][0] if len(example.turns) > 1 and example.support else None


def features_of(ranking: Ranking, examples: Sequence[Example], topics: Mapping[str, Topic]) -> list[np.ndarray]:
    """[sentences, features] for each example."""
    return [ranking.features(one.question, read_intent(one.question).kind, about(one)) for one in examples]


def targets(ranking: Ranking, example: Example) -> np.ndarray:
    """How the probability should lie: half on the sentence to say first, the rest on the others."""
    right = [row for pair in example.support for row, (text, passage) in enumerate(ranking.places)
             if (passage.topic, text) == pair][: len(example.support)]  # fmt: skip
    share = np.zeros(len(ranking.places), "float32")
    share[right] = 0.5 / max(1, len(right) - 1)
    share[right[0]] = 0.5 if len(right) > 1 else 1.0
    return share


def fit(features: Sequence[np.ndarray], wanted: Sequence[np.ndarray]) -> Network:
    """The network with the least cross entropy over all sentences of a question, one question a row."""
    rows, share = torch.from_numpy(np.stack(features)), torch.from_numpy(np.stack(wanted))
    mean, spread = rows.mean((0, 1)), rows.std((0, 1)).clamp(min=1e-3)
    net = torch.nn.Sequential(torch.nn.Linear(rows.shape[2], WIDTH), torch.nn.ReLU(), torch.nn.Dropout(DROPOUT),
                              torch.nn.Linear(WIDTH, 1, bias=False))  # fmt: skip
    optimizer = torch.optim.AdamW(net.parameters(), lr=RATE, weight_decay=DECAY)
    for _ in range(EPOCHS):
        for some in torch.randperm(len(rows)).split(32):
            scores = net((rows[some] - mean) / spread)[..., 0]
            loss = torch.nn.functional.cross_entropy(scores, share[some])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    hidden = net[0].weight.T / spread[:, None]  # the scaling goes into the weights
    return Network(*(value.detach().numpy() for value in (hidden, net[0].bias - mean @ hidden, net[3].weight[0])))


def report(ranking: Ranking, examples: Sequence[Example], topics: Mapping[str, Topic]) -> None:
    """recall@1, recall@3 and mean reciprocal rank of the first right sentence; and the right topic first."""
    rows = features_of(ranking, examples, topics)
    ways: dict[str, Callable[[np.ndarray], np.ndarray]] = {
        "MiniLM as published": lambda f: f[:, 4],
        "spelling (TF-IDF of character n-grams)": lambda f: f[:, 6],
        "encoder trained on the bank": lambda f: f[:, 0],
        "questions of the bank": lambda f: f[:, 2],
        "all together (what ships)": ranking.network.scores,
    }
    print("| Search | right sentence first | in three | mean reciprocal rank | right topic first |\n|---|--:|--:|--:|--:|")
    for name, way in ways.items():
        found = [_rank_of(ranking, one, way(row)) for one, row in zip(examples, rows, strict=True)]
        ranks, topic = (np.array(column) for column in zip(*found, strict=True))
        first, three, mean = (ranks == 1).mean(), (ranks <= 3).mean(), (1 / ranks).mean()
        print(f"| {name} | {first:.1%} | {three:.1%} | {mean:.3f} | {topic.mean():.1%} |")


def _rank_of(ranking: Ranking, example: Example, scores: np.ndarray) -> tuple[int, bool]:
    order = (-scores).argsort()
    right = [(ranking.places[i][1].topic, ranking.places[i][0]) in example.support for i in order]
    return 1 + right.index(True), ranking.places[order[0]][1].topic in {topic for topic, _ in example.support}


if __name__ == "__main__":
    main()
