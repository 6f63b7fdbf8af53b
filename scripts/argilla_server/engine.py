"""A search engine for Argilla that needs no Elasticsearch: it asks the server's own database.

Importing this module registers it under the name in `ENGINE`. The database is the only place
where anything is kept, so everything that would write to an index does nothing here.
"""

import json
import os
import sqlite3
from collections.abc import AsyncIterator, Iterable, Sequence
from typing import Any
from uuid import UUID

import numpy as np
from argilla_server.enums import FieldType, MetadataPropertyType, SimilarityOrder
from argilla_server.errors.future import UnprocessableEntityError
from argilla_server.models import (
    Dataset,
    MetadataProperty,
    Record,
    Response,
    Suggestion,
    User,
    VectorSettings,
)
from argilla_server.search_engine import (
    Filter,
    FloatMetadataMetrics,
    IntegerMetadataMetrics,
    MetadataMetrics,
    Order,
    SearchEngine,
    SearchResponseItem,
    SearchResponses,
    TermsMetrics,
    TextQuery,
)
from argilla_server.settings import settings
from sqlalchemy import (
    ColumnElement,
    String,
    and_,
    event,
    false,
    func,
    literal_column,
    or_,
    select,
    true,
    type_coerce,
)
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from scripts.argilla_server import vectors
from scripts.argilla_server.conditions import (
    RECORD_ID,
    Schema,
    condition,
    sort_keys,
)
from scripts.argilla_server.text_query import (
    Constant,
    Fuzzy,
    Group,
    Leaf,
    Node,
    Ranking,
    parse,
)

ENGINE = "sqlite"
INSTANCE_VARIABLE = "ARGILLA_UNIT_INSTANCE"
READ_AT_ONCE = 500
MAX_SIMILAR = 1000  # what the server hands on of a similarity search, at most

# Connections of our own: a request that holds one of the server's and waits for a second one would
# wait for ever as soon as enough others do the same.
_database = create_async_engine(settings.database_url, **settings.database_engine_args)


@event.listens_for(_database.sync_engine, "connect")
def _only_read(connection: Any, record: object) -> None:
    cursor = connection.cursor()
    cursor.execute("PRAGMA query_only = ON")
    cursor.close()


_RECORD_FIELDS = type_coerce(Record.fields, String)
_INSERTION_ORDER = literal_column("records.rowid")


@SearchEngine.register(engine_name=ENGINE)
class SqliteSearchEngine(SearchEngine):
    """Answers from SQLite. The server makes one for each request, so it holds nothing."""

    @classmethod
    async def new_instance(cls) -> "SqliteSearchEngine":
        return cls()

    async def close(self) -> None:
        pass

    async def ping(self) -> bool:
        async with _database.connect() as connection:
            return (await connection.execute(select(1))).scalar_one() == 1

    async def info(self) -> dict[str, Any]:
        """What /api/v1/status shows; the instance tells one running server from another."""
        return {
            "name": ENGINE,
            "version": {"number": sqlite3.sqlite_version},
            "instance": os.environ.get(INSTANCE_VARIABLE),
        }

    async def search(
        self,
        dataset: Dataset,
        query: TextQuery | str | None = None,
        filter: Filter | None = None,
        sort: Sequence[Order] | None = None,
        offset: int = 0,
        limit: int = 100,
        user_id: UUID | str | None = None,
    ) -> SearchResponses:
        """Find the records that match a text query and a filter.

        Without a sort order, the better match comes first; among equals, every user (user_id)
        has an order of their own, so that annotators don't all start with the same record.
        """
        async with _database.connect() as connection:
            schema = await Schema.load(connection, dataset.id)
            where = [Record.dataset_id == dataset.id]
            if filter is not None:
                where.append(condition(filter, schema))
            order = sort_keys(sort or [], schema)
            order.append(_INSERTION_ORDER if user_id is None else _user_order(user_id))
            if query is None:
                return await _page(connection, where, order, offset, limit)
            ranking = await _search_text(connection, schema, query, where, order)
        found = list(zip(ranking.keys, ranking.scores, strict=True))
        if not sort:
            found.sort(key=lambda item: -item[1])
        page = [_item(id, score) for id, score in found[offset : offset + limit]]
        return SearchResponses(items=page, total=len(found))

    async def similarity_search(
        self,
        dataset: Dataset,
        vector_settings: VectorSettings,
        value: list[float] | None = None,
        record: Record | None = None,
        query: TextQuery | str | None = None,
        filter: Filter | None = None,
        max_results: int = 100,
        order: SimilarityOrder = SimilarityOrder.most_similar,
        threshold: float | None = None,
    ) -> SearchResponses:
        """Find the records whose vectors are most (or least) like a given one.

        Scores are between 0 and 1: (1 + cosine) / 2, or (1 - cosine) / 2 for the least similar.
        """
        if bool(value) == bool(record):
            raise ValueError("Must provide either vector value or record")
        given = value or (record and record.vector_value_by_vector_settings(vector_settings))
        if not given:
            raise ValueError("The record has no such vector")
        if len(given) != vector_settings.dimensions:
            raise UnprocessableEntityError(
                f"The vector has {len(given)} dimensions, but `{vector_settings.name}` has "
                f"{vector_settings.dimensions}."
            )
        async with _database.connect() as connection:
            ids = await _matching_ids(connection, dataset, query, filter)
            matrix = await vectors.load(connection, vector_settings.id)
        itself = record.id.hex if record is not None else None
        candidates = matrix.index if ids is None else ids
        wanted = [id for id in candidates if id in matrix.index and id != itself]
        if not wanted:
            return SearchResponses(items=[], total=0)
        unit = np.asarray(given, dtype=np.float32)
        unit /= np.linalg.norm(unit) or 1.0
        sign = -1 if order == SimilarityOrder.least_similar else 1
        scores = (1 + sign * (matrix.rows @ unit)) / 2
        scores = scores[[matrix.index[id] for id in wanted]].clip(0, 1)
        best = np.argsort(-scores, kind="stable")
        if threshold is not None:
            best = best[scores[best] >= threshold]
        items = [_item(wanted[at], float(scores[at])) for at in best[:max_results]]
        return SearchResponses(items=items, total=min(len(best), MAX_SIMILAR))

    async def get_dataset_progress(self, dataset: Dataset) -> dict[str, int]:
        """How many records there are, and how many of each status."""
        if dataset.is_draft:
            return {}
        status = type_coerce(Record.status, String)
        return await _counts(
            select(status, func.count()).where(Record.dataset_id == dataset.id).group_by(status)
        )

    async def get_dataset_user_progress(self, dataset: Dataset, user: User) -> dict[str, int]:
        """How many responses a user gave, and how many of each status."""
        if dataset.is_draft:
            return {}
        status = type_coerce(Response.status, String)
        return await _counts(
            select(status, func.count())
            .join(Record, Record.id == Response.record_id)
            .where(Record.dataset_id == dataset.id, Response.user_id == user.id)
            .group_by(status)
        )

    async def compute_metrics_for(self, metadata_property: MetadataProperty) -> MetadataMetrics:
        """How often each term occurs, or the smallest and largest number."""
        path = f'$."{metadata_property.name}"'
        values = func.json_each(type_coerce(Record.metadata_, String), path).table_valued("value")
        found = and_(Record.dataset_id == metadata_property.dataset_id, values.c.value.is_not(None))
        async with _database.connect() as connection:
            if metadata_property.type == MetadataPropertyType.terms:
                count = func.count()
                rows = await connection.execute(
                    select(values.c.value, count)
                    .select_from(Record)
                    .join(values, true())
                    .where(found)
                    .group_by(values.c.value)
                    .order_by(count.desc(), values.c.value)
                )
                terms = [
                    TermsMetrics.TermCount(term=str(term), count=count) for term, count in rows
                ]
                return TermsMetrics(total=sum(term.count for term in terms), values=terms)
            result = await connection.execute(
                select(func.min(values.c.value), func.max(values.c.value))
                .select_from(Record)
                .join(values, true())
                .where(found)
            )
            low, high = result.one()
        if metadata_property.type == MetadataPropertyType.integer:
            return IntegerMetadataMetrics(min=low, max=high)
        return FloatMetadataMetrics(min=low, max=high)

    # Nothing is kept besides the database, so there is nothing to write.

    async def create_index(self, dataset: Dataset) -> None:
        pass

    async def delete_index(self, dataset: Dataset) -> None:
        pass

    async def configure_metadata_property(
        self, dataset: Dataset, metadata_property: MetadataProperty
    ) -> None:
        pass

    async def configure_index_vectors(self, vector_settings: VectorSettings) -> None:
        pass

    async def index_records(self, dataset: Dataset, records: Iterable[Record]) -> None:
        pass

    async def partial_record_update(self, record: Record, **update: Any) -> None:
        pass

    async def delete_records(self, dataset: Dataset, records: Iterable[Record]) -> None:
        pass

    async def update_record_response(self, response: Response) -> None:
        pass

    async def delete_record_response(self, response: Response) -> None:
        pass

    async def update_record_suggestion(self, suggestion: Suggestion) -> None:
        pass

    async def delete_record_suggestion(self, suggestion: Suggestion) -> None:
        pass


async def _page(
    connection: AsyncConnection,
    where: Sequence[ColumnElement[bool]],
    order: Sequence[ColumnElement[Any]],
    offset: int,
    limit: int,
) -> SearchResponses:
    total = await connection.execute(select(func.count()).select_from(Record).where(*where))
    rows = await connection.execute(
        select(RECORD_ID).where(*where).order_by(*order).offset(offset).limit(limit)
    )
    # A score of 1, as for everything that matches a search for nothing in particular.
    return SearchResponses(
        items=[_item(id, 1.0) for id in rows.scalars()], total=total.scalar_one()
    )


async def _search_text(
    connection: AsyncConnection,
    schema: Schema,
    query: TextQuery | str,
    where: Sequence[ColumnElement[bool]],
    order: Sequence[ColumnElement[Any]],
) -> Ranking:
    """Find the matching records in the given order: SQL looks first, then every word is checked."""
    if isinstance(query, str):
        query = TextQuery(q=query)
    fields = {name: kind for name, kind in schema.fields.items() if kind != FieldType.image}
    if query.field is not None:
        if query.field not in schema.fields:
            raise UnprocessableEntityError(f"Field `{query.field}` not found in the dataset.")
        fields = {name: kind for name, kind in fields.items() if name == query.field}
    tree = parse(query.q)
    ranking = Ranking(tree)
    statement = select(RECORD_ID, _RECORD_FIELDS).where(*where, _first_look(tree)).order_by(*order)
    async for id, stored in _stream(connection, statement):
        ranking.add(id, _texts(json.loads(stored), fields))
    return ranking


async def _stream(connection: AsyncConnection, statement: Any) -> AsyncIterator[Any]:
    result = await connection.stream(statement)
    async for rows in result.partitions(READ_AT_ONCE):
        for row in rows:
            yield row


def _texts(values: dict[str, Any], fields: dict[str, str]) -> list[str]:
    """What is written in a record's fields: in a chat, what was said and by whom."""
    found = []
    for name, kind in fields.items():
        value = values.get(name)
        if value is None:
            continue
        if kind == FieldType.chat:
            found += [str(part) for turn in value for part in turn.values()]
        else:
            found.append(str(value))
    return found


def _first_look(node: Node) -> ColumnElement[bool]:
    """A condition that every matching record meets (and some others do)."""
    if isinstance(node, Constant):
        return true() if node.value else false()
    if isinstance(node, Group):
        return (and_ if node.every else or_)(*map(_first_look, node.parts))
    if not isinstance(node, Leaf):
        return true()
    if isinstance(node, Fuzzy):
        return or_(*map(_holds_letters, node.pieces))
    return and_(true(), *map(_holds_letters, node.literals))


def _holds_letters(word: str) -> ColumnElement[bool]:
    """Whether the letters of a word are in the record's JSON, as far as they are ASCII.

    Others are written as escapes there, with upper and lower case apart.
    """
    parts = "".join(char if char.isascii() else " " for char in word).split()
    return and_(true(), *(_RECORD_FIELDS.contains(part, autoescape=True) for part in parts))


async def _matching_ids(
    connection: AsyncConnection,
    dataset: Dataset,
    query: TextQuery | str | None,
    filter: Filter | None,
) -> list[str] | None:
    """Ids of the records that match; None stands for all of them."""
    if query is None and filter is None:
        return None
    schema = await Schema.load(connection, dataset.id)
    where = [Record.dataset_id == dataset.id]
    if filter is not None:
        where.append(condition(filter, schema))
    if query is not None:
        return (await _search_text(connection, schema, query, where, [_INSERTION_ORDER])).keys
    return list((await connection.execute(select(RECORD_ID).where(*where))).scalars())


async def _counts(statement: Any) -> dict[str, int]:
    async with _database.connect() as connection:
        counts = dict((await connection.execute(statement)).tuples().all())
    return {"total": sum(counts.values()), **counts}


def _user_order(user_id: UUID | str) -> ColumnElement[str]:
    """An order that looks random, stays the same for a user and differs between users.

    Record ids are random: sorted by their digits from another place on, they are shuffled.
    """
    start = UUID(str(user_id)).int % 32 + 1
    return func.substr(RECORD_ID, start) + func.substr(RECORD_ID, 1, start - 1)


def _item(id: str, score: float) -> SearchResponseItem:
    return SearchResponseItem(record_id=UUID(hex=id), score=score)
