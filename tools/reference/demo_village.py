"""The village of the demo: its people, what is known of each, and the two ways to ask for it.

The kept ability is to answer a question about one fact. The taught ability is to introduce a person by two facts in one sentence.
Both are the same facts of the same people, so that learning the second disturbs the first.
"""

import itertools
import random
from dataclasses import dataclass

NAMES = (
    "Ada Alma Anna Arne Ben Bo Carl Clara Dan Dora Ella Emil Eva Fay Finn Fred Gus Greta Hans Hugo Ida Ines Ivan Jack Jane Jon"
    " Kai Kate Lara Leo Lisa Lola Max Mia Milo Nina Noah Nora Olga Olaf Otto Pam Paul Pia Rita Rosa Sam Sara Sven Tess Theo"
    " Tim Tina Tom Uma Vera Will Yara Zara Zoe"
).split()


@dataclass(frozen=True)
class Topic:
    """What can be known of a person: how it is asked for, how it is told, and what it can be."""

    noun: str
    question: str
    verb: str
    values: tuple[str, ...]


TOPICS = (
    Topic(
        "home", "Where does {} live?", "lives in the", ("mill", "tower", "barn", "inn", "castle", "tent", "cabin", "villa", "boat", "cave")
    ),
    Topic("pet", "Which pet does {} have?", "has a", ("cat", "dog", "goat", "hen", "horse", "parrot", "mouse", "rabbit", "snake", "duck")),
    Topic(
        "work", "What does {} do?", "works as a", ("baker", "smith", "nurse", "judge", "cook", "pilot", "poet", "tailor", "farmer", "guard")
    ),
    Topic("food", "What does {} eat?", "eats", ("plums", "bread", "soup", "fish", "rice", "beans", "cheese", "nuts", "eggs", "corn")),
)


@dataclass(frozen=True)
class Row:
    """A prompt and the completion that is right for it; the completion begins with a space."""

    prompt: str
    completion: str

    def as_json(self) -> dict[str, str]:
        """The fields of a line of training data."""
        return {"prompt": self.prompt, "completion": self.completion}


class Village:
    """The facts, drawn with a seed, and rows that ask for them."""

    def __init__(self, seed: int) -> None:
        """Draws the facts."""
        draw = random.Random(seed)
        self._facts = {name: [draw.choice(topic.values) for topic in TOPICS] for name in NAMES}

    def _tells(self, name: str, topic: int) -> str:
        return f"{TOPICS[topic].verb} {self._facts[name][topic]}"

    def one_fact(self) -> list[Row]:
        """Every question for one fact, in both wordings: the kept ability."""
        rows = []
        for name in NAMES:
            for index, topic in enumerate(TOPICS):
                completion = f" {name} {self._tells(name, index)}."
                rows.append(Row(f"What is the {topic.noun} of {name}?", completion))
                rows.append(Row(topic.question.format(name), completion))
        return rows

    def introductions(self) -> list[Row]:
        """Every request for an introduction by two facts, in both orders: the taught ability."""
        pairs = list(itertools.permutations(range(len(TOPICS)), 2))
        return [
            Row(
                f"Introduce {name} by {TOPICS[first].noun} and {TOPICS[second].noun}.",
                f" Meet {name}, who {self._tells(name, first)} and {self._tells(name, second)}.",
            )
            for name in NAMES
            for first, second in pairs
        ]
