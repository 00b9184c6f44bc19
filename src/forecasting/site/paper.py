"""What the style sheet says that paper needs: what is left out in print, and the colours of the small drawings."""

import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

RULE = re.compile(r"([^{}]+)\{([^{}]*)\}")
COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
VARIABLE = re.compile(r"var\((--[\w-]+)\)")
DRAWN = ("fill", "stroke", "opacity", "font", "text-anchor")  # properties that a drawing takes from the style sheet
POINTS = {"rem": 9.0, "em": 9.0, "px": 0.75, "pt": 1.0}  # on paper 1 rem is 9 points


@dataclass(frozen=True)
class Paper:
    """The style sheet's rules: those for everybody and those of `@media print`, each a selector and its declarations."""

    rules: list[tuple[str, dict[str, str]]]
    printed: list[tuple[str, dict[str, str]]]

    @classmethod
    def read(cls, path: Path) -> "Paper":
        """Read a style sheet."""
        text = COMMENT.sub("", path.read_text(encoding="utf-8"))
        blocks, rest = {}, []
        for name, body in at_rules(text):
            blocks[name] = blocks.get(name, "") + body
            rest.append(body if not name else "")
        return cls(parsed("".join(rest)), parsed(blocks.get("@media print", "")))

    @cached_property
    def variables(self) -> dict[str, str]:
        """The values of the light colours, as on paper."""
        found = {}
        for selector, declared in [*self.rules, *self.printed]:
            if selector == ":root":
                found |= {name: value for name, value in declared.items() if name.startswith("--")}
        return found

    @cached_property
    def hidden(self) -> list[str]:
        """The selectors of what is left out on paper."""
        return [selector for selector, declared in self.printed if declared.get("display") == "none"]

    @cached_property
    def drawing(self) -> str:
        """The rules that colour the small drawings, as a style sheet for SVG."""
        lines = []
        for selector, declared in self.rules:
            kept = {name: value for name, value in declared.items() if name.startswith(DRAWN)}
            if kept and ":" not in selector:
                body = "; ".join(f"{name}: {value}" for name, value in kept.items())
                lines.append(f"{selector} {{ {body} }}")
        return self.resolved("\n".join(lines))

    def resolved(self, text: str) -> str:
        """Replace `var(--name)` by the light value."""
        return VARIABLE.sub(lambda found: self.variables.get(found[1], "black"), text)

    def size(self, css: list[str], name: str) -> float | None:
        """Return the width or height in points that the style sheet gives to one of these classes, None if it follows the box."""
        found = None
        for selector, declared in [*self.rules, *self.printed]:
            if selector.removeprefix("svg").strip() in {f".{one}" for one in css} and name in declared:
                length = re.fullmatch(r"([\d.]+)(rem|em|px|pt)", declared[name])
                found = float(length[1]) * POINTS[length[2]] if length else None
        return found


def at_rules(text: str) -> list[tuple[str, str]]:
    """Split a style sheet into (name, body) of its @media blocks and, with an empty name, all that is outside of them."""
    found, place = [], 0
    for match in re.finditer(r"@media[^{]*", text):
        if match.start() < place:
            continue
        end = closing(text, match.end())
        found += [("", text[place : match.start()]), (" ".join(match[0].split()), text[match.end() + 1 : end])]
        place = end + 1
    return [*found, ("", text[place:])]


def closing(text: str, opening: int) -> int:
    """Return where the brace that opens at `opening` is closed."""
    depth = 0
    for match in re.compile("[{}]").finditer(text, opening):
        depth += 1 if match[0] == "{" else -1
        if not depth:
            return match.start()
    raise ValueError("the style sheet has a brace that nothing closes")


def parsed(text: str) -> list[tuple[str, dict[str, str]]]:
    """Return the rules of a text without blocks, one per selector, in order."""
    found = []
    for selectors, body in RULE.findall(text):
        pairs = (line.partition(":") for line in body.split(";") if ":" in line)
        declared = {name.strip(): value.replace("!important", "").strip() for name, _, value in pairs}
        found += [(" ".join(one.split()), declared) for one in selectors.split(",")]
    return found
