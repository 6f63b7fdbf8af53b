"""The loop's settings: a spaCy config file, resolved through spaCy's registry.

spaCy itself is not imported: it takes seconds, and a wrong setting should be named at once.
"""

import difflib
from collections.abc import Iterator, Sequence
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

import catalogue
import click
import confection
from confection import Config
from pydantic import Field, ValidationError
from pydantic_core import ErrorDetails
from weasel.util.config import parse_config_overrides
from weasel.util.modules import import_file

from scripts.active_learning.draw import DrawSettings
from scripts.active_learning.plan import StepSettings
from scripts.active_learning.proof import PromiseSettings
from scripts.active_learning.query import DEFAULT_POWER, STRATEGIES, Sampling, Strategy
from scripts.cli.errors import ProjectError
from scripts.data.corpus import SEVERAL, check_prepared, read_name
from scripts.records.settings import ArgillaSettings, Block

TEXTCAT = "classy_textcat"  # the component's name in the pipeline
# How a setting is overridden on the command line.
_NAMED = "Settings are written with their block: --loop.batch_size 10"


class Registry(confection.registry):
    """The part of spaCy's registry that the settings use: what is registered with
    `@spacy.registry.misc` is found here, and the other way round."""

    misc = catalogue.create("spacy", "misc", entry_points=True)


def _register(name: str, strategy: Strategy) -> None:
    @Registry.misc(f"query_strategy.{name}.v1")
    def make() -> Strategy:
        return strategy


for _name, _strategy in STRATEGIES.items():
    if not isinstance(_strategy, Sampling):
        _register(_name, _strategy)


@Registry.misc("query_strategy.margin_sampling.v1")
def _margin_sampling(power: float = DEFAULT_POWER) -> Strategy:
    return Sampling(power=float(power))  # a config's "nan" and "inf" are texts


class PathSettings(Block):
    """corpus: What `prepare` writes. pipeline: The spaCy config of the model. cache: Embeddings.
    argilla: The embedded server's home, with its credentials. code: A Python file with registered
    functions of the user, such as a query strategy; empty for none."""

    corpus: Path
    pipeline: Path
    cache: Path
    argilla: Path
    code: str = ""


class LoopSettings(Block):
    """One step of the loop.

    seed: Of every random choice; each step has its own generator made from it.
    batch_size: Answers after which a step follows, which asks as many texts again.
    queue: Texts that wait for an answer after a step, so that nobody waits for the next one;
        batch_size if that is more, and seed_size before there is a trained model.
    seed_size: Texts that people are asked before there is a trained model.
    budget: Answers by people after which the loop stops, their examples too; 0 for no limit.
    target_accuracy: A step says when the estimated accuracy surely reaches it; 0 for none.
    use_machine_labels: Train on the bot's answers too.
    strategy: The query strategy: which texts people are asked.
    draw: Which share of the draws may fall anywhere in the pool.
    cold_start: The same, before there is a trained model.
    promise: Which answers of the model stand without a person.
    """

    seed: int = Field(0, ge=0)
    batch_size: int = Field(5, ge=1, le=250)
    queue: int = Field(20, ge=0, le=250)
    seed_size: int = Field(20, ge=2, le=250)
    budget: int = Field(0, ge=0)
    target_accuracy: float = Field(0.0, ge=0, le=1)
    use_machine_labels: bool = False
    strategy: Strategy
    cold_start: Strategy
    draw: DrawSettings
    promise: PromiseSettings

    @property
    def at_once(self) -> int | None:
        """Answers that come before a step does; None where all that is asked is answered first."""
        return self.batch_size if self.queue > self.batch_size else None

    def plan(self, batch_size: int) -> StepSettings:
        """What plan_step needs."""
        return StepSettings(batch_size, self.strategy, self.cold_start, self.draw, self.promise)


class Settings(Block):
    paths: PathSettings
    argilla: ArgillaSettings
    loop: LoopSettings


def load_settings(path: Path, overrides: Sequence[str] = ()) -> Settings:
    """Read the settings file.

    overrides: As in spaCy's commands: ["--loop.batch_size", "10"].
    RAISES (ProjectError): The file is missing, a setting is unknown or wrong, or no data was
        prepared yet.
    """
    if not path.exists():
        raise ProjectError(f"There is no settings file {path}.", "It belongs at configs/loop.cfg.")
    try:
        given = parse_config_overrides(list(overrides), env_var=None)
        if unknown := [name for name in given if name.split(".")[0] not in Settings.model_fields]:
            raise ProjectError(_no_setting(unknown[0]), _NAMED)
        config = Config().from_disk(path, overrides=given)
        import_code(str(config.get("paths", {}).get("code") or ""))
        resolved = Registry.resolve(config)
        if "multi_label" in resolved.get("argilla", {}):
            raise ProjectError(
                "[argilla] multi_label is no setting any more: the pipeline's config says it.",
                f"Leave it out and, for any number of labels a text, set {SEVERAL}",
            )
        settings = Settings(**resolved)
    except ValidationError as err:
        lines = [_in_words(e) for e in err.errors()]
        raise ProjectError(f"{path} has a wrong setting.", "\n".join(lines)) from None
    except click.NoSuchOption as err:
        raise ProjectError(
            f"There is no option {err.option_name}.", f"--help lists the options. {_NAMED}"
        ) from None
    except catalogue.RegistryError as err:
        raise ProjectError(
            f"{path} names a function that is not registered.",
            f"{err}\nFunctions of your own: set [paths] code to the file that registers them.",
        ) from None
    except confection.ConfigValidationError as err:  # an argument of a registered function
        lines = [f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in err.errors]
        raise ProjectError(f"{path} has a wrong setting.", "\n".join(lines)) from None
    except (ValueError, KeyError) as err:  # confection's and catalogue's own messages
        raise ProjectError(f"{path} cannot be used.", str(err)) from None
    settings.argilla.multi_label = read_multi_label(settings.paths.pipeline)
    if not settings.argilla.multi_label:
        check_prepared(settings.paths.corpus)
    if not settings.argilla.dataset.strip():
        settings.argilla.dataset = read_name(settings.paths.corpus)
    return settings


def read_textcat(pipeline: Path) -> dict[str, Any]:
    """The component's block in the pipeline's config.

    RAISES (ProjectError): The file is missing or cannot be read.
    """
    if not pipeline.exists():
        raise ProjectError(
            f"There is no pipeline config {pipeline}.", "Set [paths] pipeline in configs/loop.cfg."
        )
    try:
        return dict(Config().from_disk(pipeline).get("components", {}).get(TEXTCAT, {}))
    except ValueError as err:  # confection's own message
        raise ProjectError(f"{pipeline} cannot be used.", str(err)) from None


def read_multi_label(pipeline: Path) -> bool:
    """Whether the pipeline's config says that a text can have any number of labels.

    RAISES (ProjectError): It does not say it.
    """
    textcat = read_textcat(pipeline)
    if not isinstance(textcat.get("multi_label"), bool):
        raise ProjectError(
            f"{pipeline} does not say whether a text can have several labels.",
            f"[components.{TEXTCAT}] needs multi_label = true or false: see configs/textcat.cfg.",
        )
    return bool(textcat["multi_label"])


def import_code(path: str) -> None:
    """Import a Python file of the user, whose registered functions the settings may name.

    RAISES (ProjectError): It is not there, or fails.
    """
    if not path:
        return
    if not Path(path).is_file():
        raise ProjectError(f"There is no Python file {path}.", "Correct [paths] code, or empty it.")
    try:
        import_file("python_code", path)
    except Exception as err:  # whatever the user's code raises
        raise ProjectError(
            f"{path} ([paths] code) cannot be imported.", f"{type(err).__name__}: {err}"
        ) from err


def _in_words(error: ErrorDetails) -> str:
    name = ".".join(map(str, error["loc"]))
    if error["type"] == "callable_type":
        return f"{name} is a block that names a function: --{name}.@misc query_strategy.margin.v1"
    if error["type"] not in ("extra_forbidden", "unexpected_keyword_argument"):
        return f"{name}: {error['msg']}"
    return _no_setting(name)


def _no_setting(name: str) -> str:
    like = difflib.get_close_matches(name, list(_names(Settings)), n=1)
    return f"There is no setting {name}." + (f" Did you mean {like[0]}?" if like else "")


def _names(block: object, before: str = "") -> Iterator[str]:
    """Names of all settings, as in an override."""
    if is_dataclass(block):
        yield from (f"{before}{field.name}" for field in fields(block))
    elif isinstance(block, type) and issubclass(block, Block):
        for name, field in block.model_fields.items():
            yield from _names(field.annotation, f"{before}{name}.")
    else:
        yield before.rstrip(".")
