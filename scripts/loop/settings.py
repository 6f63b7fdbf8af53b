"""The loop's settings: a spaCy config file, resolved through spaCy's registry."""

from collections.abc import Sequence
from pathlib import Path

import click
import spacy
from confection import Config
from pydantic import Field, ValidationError
from spacy.cli._util import import_code, parse_config_overrides

from scripts.active_learning.autovalidation import ValidationSettings
from scripts.active_learning.plan import StepSettings
from scripts.active_learning.query import STRATEGIES, Strategy
from scripts.cli.errors import ProjectError
from scripts.data.corpus import SEVERAL, check_prepared, read_name
from scripts.records.settings import ArgillaSettings, Block

TEXTCAT = "classy_textcat"  # the component's name in the pipeline


def _register(name: str, strategy: Strategy) -> None:
    @spacy.registry.misc(f"query_strategy.{name}.v1")
    def make() -> Strategy:
        return strategy


for _name, _strategy in STRATEGIES.items():
    _register(_name, _strategy)


class PathSettings(Block):
    """corpus: What `prepare` writes. pipeline: The spaCy config of the model. cache: Embeddings.
    argilla: The embedded server's home, with its credentials."""

    corpus: Path
    pipeline: Path
    cache: Path
    argilla: Path


class LoopSettings(Block):
    """One step of the loop.

    seed: Of every random choice; each step has its own generator made from it.
    batch_size: Texts that people are asked in a step.
    seed_size: Texts that people are asked before there is a trained model.
    random_share: Share of a batch that is drawn at random, for an honest estimate of accuracy.
    budget: Answers by people after which the loop stops; 0 for no limit.
    target_accuracy: A step says when the estimated accuracy surely reaches it; 0 for none.
    use_machine_labels: Train on the bot's answers too.
    strategy: The query strategy: which texts people are asked.
    cold_start: The same, before there is a trained model.
    validation: Which answers of the model stand without a person.
    """

    seed: int = 0
    batch_size: int = Field(5, ge=1, le=250)
    seed_size: int = Field(20, ge=2, le=250)
    random_share: float = Field(0.1, ge=0, le=1)
    budget: int = Field(0, ge=0)
    target_accuracy: float = Field(0.0, ge=0, le=1)
    use_machine_labels: bool = False
    strategy: Strategy
    cold_start: Strategy
    validation: ValidationSettings

    def plan(self, batch_size: int) -> StepSettings:
        """What plan_step needs."""
        return StepSettings(
            batch_size, self.strategy, self.cold_start, self.random_share, self.validation
        )


class Settings(Block):
    paths: PathSettings
    argilla: ArgillaSettings
    loop: LoopSettings


def load_settings(path: Path, overrides: Sequence[str] = (), code: Path | None = None) -> Settings:
    """Read the settings file.

    overrides: As in spaCy's commands: ["--loop.batch_size", "10"].
    code: A Python file with registered functions of the user, such as a query strategy.
    RAISES (ProjectError): The file is missing, a setting is unknown or wrong, or no data was
        prepared yet.
    """
    if not path.exists():
        raise ProjectError(f"There is no settings file {path}.", "It belongs at configs/loop.cfg.")
    import_code(code)
    try:
        config = Config().from_disk(path, overrides=parse_config_overrides(list(overrides)))
        resolved = spacy.registry.resolve(config)
        if "multi_label" in resolved.get("argilla", {}):
            raise ProjectError(
                "[argilla] multi_label is no setting any more: the pipeline's config says it.",
                f"Leave it out and, for any number of labels a text, set {SEVERAL}",
            )
        settings = Settings(**resolved)
    except ValidationError as err:
        lines = [f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in err.errors()]
        raise ProjectError(f"{path} has a wrong setting.", "\n".join(lines)) from None
    except click.ClickException as err:
        raise ProjectError("An override cannot be read.", err.format_message()) from None
    except (ValueError, KeyError) as err:  # confection's and catalogue's own messages
        raise ProjectError(f"{path} cannot be used.", str(err)) from None
    settings.argilla.multi_label = read_multi_label(settings.paths.pipeline)
    if not settings.argilla.multi_label:
        check_prepared(settings.paths.corpus)
    if not settings.argilla.dataset:
        settings.argilla.dataset = read_name(settings.paths.corpus)
    return settings


def read_multi_label(pipeline: Path) -> bool:
    """Whether the pipeline's config says that a text can have any number of labels.

    RAISES (ProjectError): The file is missing, cannot be read, or does not say it.
    """
    if not pipeline.exists():
        raise ProjectError(
            f"There is no pipeline config {pipeline}.", "Set [paths] pipeline in configs/loop.cfg."
        )
    try:
        textcat = Config().from_disk(pipeline).get("components", {}).get(TEXTCAT, {})
    except ValueError as err:  # confection's own message
        raise ProjectError(f"{pipeline} cannot be used.", str(err)) from None
    if not isinstance(textcat.get("multi_label"), bool):
        raise ProjectError(
            f"{pipeline} does not say whether a text can have several labels.",
            f"[components.{TEXTCAT}] needs multi_label = true or false: see configs/textcat.cfg.",
        )
    return bool(textcat["multi_label"])
