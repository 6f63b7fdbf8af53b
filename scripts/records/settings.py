"""Where and how people label: the block [argilla] of the settings."""

from pydantic import BaseModel, ConfigDict, Field

MOST = 500  # records that Argilla takes in one request
BOT = "classy-bot"  # gives the machine's answers


class Block(BaseModel):
    """A block of the settings file: what it does not know is an error."""

    model_config = ConfigDict(extra="forbid", arbitrary_types_allowed=True)


class ArgillaSettings(Block):
    """Where and how people label.

    dataset: Name of the data set; empty for the name of the prepared data.
    min_submitted: Answers that a record needs (more than one for a team).
    multi_label: Whether a text can have any number of labels. Not in the file: the pipeline's
        config says it.
    """

    dataset: str = Field("", max_length=160)  # Argilla takes 200, with what we add
    workspace: str = Field(min_length=1)
    guidelines: str = Field("", max_length=9_500)  # Argilla takes 10,000, with what we add
    min_submitted: int = Field(1, ge=1)
    multi_label: bool = False
