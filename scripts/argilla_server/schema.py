"""The settings of a data set that searches depend on."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from argilla_server.enums import FieldType, MetadataPropertyType, QuestionType
from argilla_server.errors.future import UnprocessableEntityError
from argilla_server.models import Field, MetadataProperty, Question
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from scripts.argilla_server import text_index

NUMERIC = (MetadataPropertyType.integer, MetadataPropertyType.float)


@dataclass(frozen=True)
class Schema:
    """Fields, questions and metadata properties by their names."""

    fields: list[str]  # that hold text
    questions: dict[str, tuple[UUID, str]]
    metadata: dict[str, str]

    @classmethod
    async def load(cls, connection: AsyncConnection, dataset_id: UUID) -> "Schema":
        async def rows(*columns: Any) -> Sequence[Any]:
            owner = columns[0].class_
            found = await connection.execute(select(*columns).where(owner.dataset_id == dataset_id))
            return found.all()

        return cls(
            fields=[
                name
                for name, settings in await rows(Field.name, Field.settings)
                if settings["type"] != FieldType.image
            ],
            questions={
                name: (id, settings["type"])
                for name, id, settings in await rows(Question.name, Question.id, Question.settings)
            },
            metadata={
                name: settings["type"]
                for name, settings in await rows(MetadataProperty.name, MetadataProperty.settings)
            },
        )

    def text_column(self, name: str | None) -> str | None:
        """Where the text index has a field; None, which is all columns, for no field."""
        if name is None:
            return None
        if name not in self.fields:
            raise UnprocessableEntityError(f"Field `{name}` not found in the dataset.")
        return text_index.column(name, self.fields)

    def question(self, name: str) -> tuple[UUID, bool]:
        """The id of a question, and whether its answers are numbers."""
        if name not in self.questions:
            raise UnprocessableEntityError(f"Question `{name}` not found in the dataset.")
        id, kind = self.questions[name]
        return id, kind == QuestionType.rating

    def metadata_is_number(self, name: str) -> bool:
        if name not in self.metadata:
            raise UnprocessableEntityError(f"Metadata property `{name}` not found in the dataset.")
        return self.metadata[name] in NUMERIC
