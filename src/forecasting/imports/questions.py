"""What a proposal cannot decide: a question with its choices, asked at a terminal, else said with the line to write."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from forecasting.errors import UserError
from forecasting.imports.mapping import Mapping
from forecasting.imports.mapping_file import scalar

# YAML takes a key once, and a draft has most of them
ADDED = " Where its first word, such as columns, stands there already, put what is in braces below that."


@dataclass(frozen=True)
class Choice:
    """One answer: what it sets, attribute of the mapping → key in it (None: the attribute itself) → value, and what speaks for it."""

    said: str
    sets: dict[tuple[str, str | None], Any]

    def apply(self, mapping: Mapping) -> None:
        """Write the answer into a mapping."""
        for (attribute, key), value in self.sets.items():
            if key is None:
                setattr(mapping, attribute, value)
            else:
                getattr(mapping, attribute)[key] = value

    def lines(self) -> str:
        """Return the answer as it is written in the mapping."""
        return ", ".join(f"{attribute}: {{{scalar(key)}: {scalar(value)}}}" if key else f"{attribute}: {scalar(value)}"
                         for (attribute, key), value in self.sets.items())  # fmt: skip


@dataclass(frozen=True)
class Question:
    """What is to be decided of a table, in a sentence, and the answers that there are."""

    table: str
    text: str
    choices: tuple[Choice, ...]

    def written(self) -> str:
        """Return the question with what may be written for each answer."""
        return "\n".join([self.text, *(f"  - {choice.lines()}    {choice.said}".rstrip() for choice in self.choices)])


Ask = Callable[[Question], Choice]


def ask_at_terminal(question: Question) -> Choice:
    """Ask a person at a terminal until one of the answers is chosen."""
    print("\n" + question.text)
    for number, choice in enumerate(question.choices, start=1):
        print(f"  {number}  {choice.lines()}    {choice.said}")
    while True:
        answer = input(f"1 to {len(question.choices)}, or Ctrl-C to stop: ").strip()
        if answer.isdecimal() and 1 <= int(answer) <= len(question.choices):
            return question.choices[int(answer) - 1]


def undecided(questions: list[Question], shown: str) -> UserError:
    """Return the refusal where nobody can be asked: every open question, and where its answer is written."""
    table = questions[0].table
    listed = "\n".join(f"* {question.written()}" for question in questions)
    n = len(questions)
    is_entry = any(key for question in questions for choice in question.choices for _, key in choice.sets)
    added = ADDED if is_entry else ""
    return UserError(
        f"{n} thing{'s' * (n > 1)} cannot be decided from the file alone. Write the answer{'s' * (n > 1)} into {shown}, below {table}:, "
        f"and run the same command again.{added}\n{listed}"
    )
