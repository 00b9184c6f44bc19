"""Finding a family by its file, a model by its name and a saved model by what it wrote; and what models say of themselves."""

import importlib
import pkgutil
import re
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

from forecasting.errors import UserError
from forecasting.models import saved
from forecasting.models.base import Model
from forecasting.wording import DASH, SPACE

FOLDER = Path(__file__).parent
NO_FAMILIES = ("base", "families", "forecasts", "saved")  # what lies beside them


def families() -> list[str]:
    """Return the families: the names of the files in this folder, in alphabetical order."""
    return sorted(module.name for module in pkgutil.iter_modules([str(FOLDER)]) if module.name not in NO_FAMILIES)


def family_models(family: str) -> tuple[type[Model], ...]:
    """Return the model classes of a family.

    Raises
    ------
    UserError
        If there is no such file; lists those that there are.
    """
    if family not in families():
        raise UserError(f"There is no model family {family}. The families are: {', '.join(families())}.")
    return importlib.import_module(f"forecasting.models.{family}").MODELS


def chosen(family: str, names: Sequence[str] | None = None, **settings: Any) -> list[Model]:
    """Return the models of a family that `names` lists (`<family>_models` in `params/`; None: all), in the family's order.

    Each takes those of the settings that it knows.

    Raises
    ------
    UserError
        If a name is not of this family, or there is none; lists those that are.
    """
    known = {model.name: model for model in family_models(family)}
    asked = list(known) if names is None else [str(name) for name in names]
    unknown = [name for name in asked if name not in known]
    if unknown or not asked:
        raise UserError(
            f"params: {family}_models may hold {', '.join(known)}; found {', '.join(unknown) or 'none of them'}."
        )
    models = [model for name, model in known.items() if name in asked]
    return [model(**{key: value for key, value in settings.items() if key in model.defaults}) for model in models]


def member_families(chosen: Sequence[str]) -> list[str]:
    """Return those of a run's families whose models are combined; all of them where there is none such."""
    return [family for family in chosen if any(model.is_combined for model in family_models(family))] or list(chosen)


@cache
def by_name() -> dict[str, type[Model]]:
    """Return every model class by its name; importing the families is cheap."""
    return {model.name: model for family in families() for model in family_models(family)}


def get(name: str) -> type[Model]:
    """Return the model class called `name`, or raise a UserError that lists the names."""
    if name not in by_name():
        raise UserError(f"There is no model {name}. The models are: {', '.join(by_name())}.")
    return by_name()[name]


def about(name: str) -> type[Model]:
    """Return the class that says what a model is; of one that is no longer there the base, which says nothing."""
    return by_name().get(name, Model)


def model_name(name: str) -> str:
    """Write a model's name as people do."""
    return about(name).title or name.replace("_", " ") or DASH


def with_names(text: str) -> str:
    """Write the models in sentences of the gate as people do, with a capital where one begins, and keep numbers and their % together."""

    def written(found: re.Match) -> str:
        name = model_name(found[2])
        return found[1] + (name[:1].upper() + name[1:] if found[1] or found.start() == 0 else name)

    return re.sub(rf"(\. |\b)({'|'.join(by_name())})\b", written, text).replace(" %", f"{SPACE}%")


def load(directory: Path) -> Model:
    """Read a saved model of any family.

    Raises
    ------
    UserError
        If the folder holds no saved model.
    """
    return get(saved.read(directory)["name"]).load(Path(directory))
