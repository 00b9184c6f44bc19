"""Finding a family by its file, a model by its name and a saved model by what it wrote."""

import importlib
import json
import pkgutil
from pathlib import Path

from forecasting.errors import UserError
from forecasting.models.base import MODEL_FILE, Model

FOLDER = Path(__file__).parent
NO_FAMILIES = ("base", "families", "forecasts", "model_names")  # what lies beside them


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


def get(name: str) -> type[Model]:
    """Return the model class called `name`, or raise a UserError that lists the names."""
    names = []
    for family in families():
        for model in family_models(family):
            if model.name == name:
                return model
            names.append(model.name)
    raise UserError(f"There is no model {name}. The models are: {', '.join(names)}.")


def load(directory: Path) -> Model:
    """Read a saved model of any family.

    Raises
    ------
    UserError
        If the folder holds no saved model.
    """
    path = Path(directory) / MODEL_FILE
    if not path.exists():
        raise UserError(f"{path} is missing: {directory} holds no saved model. Run the training notebook first.")
    content = json.loads(path.read_text(encoding="utf-8"))
    by_name = {model.name: model for model in family_models(content["family"])}
    return by_name[content["name"]].load(Path(directory))
