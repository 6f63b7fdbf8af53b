"""A search engine for Argilla that needs no Elasticsearch: it asks the server's own database.

Importing this module registers it under the name in `serve.ENGINE`. The database is the only
place where anything is kept, so everything that would write to an index does nothing here.

It answers as Argilla's own engines do, except that
- words with typos (`wrod~1`) are not searched for, and a phrase's distance (`"a b"~2`) is in any
  order, since FTS5 knows no other,
- a word such as `wi-fi` is a phrase of its parts, and symbols are words,
- the smallest and largest number of a metadata property are not rounded to 32 bits,
- a string in a property of numbers, which the server never lets in, is no number.
"""

import asyncio
import os
import sqlite3
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from argilla_server.enums import MetadataPropertyType, SimilarityOrder
from argilla_server.errors.future import UnprocessableEntityError
from argilla_server.models import (
    Dataset,
    MetadataProperty,
    Record,
    Response,
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
from sqlalchemy import (
    ColumnElement,
    Select,
    String,
    and_,
    column,
    func,
    literal,
    literal_column,
    select,
    table,
    true,
    type_coerce,
)

from scripts.argilla_server import text_index, text_query, vectors
from scripts.argilla_server.conditions import RECORD_ID, condition, sort_keys
from scripts.argilla_server.reading import database, reading
from scripts.argilla_server.schema import Schema
from scripts.argilla_server.serve import ENGINE, INSTANCE_VARIABLE

MAX_OFFSET = 2**62  # more than SQLite's numbers, with a limit on top, would be an error
# What being in the data set counts for, beside 1 for a word: nearly nothing, but a score.
MEMBERSHIP = 0.001

SCORE = column("score")
_ROWID = literal_column("records.rowid")


@SearchEngine.register(engine_name=ENGINE)
class SqliteSearchEngine(SearchEngine):
    """Answers from SQLite. The server makes one for each request, so it holds nothing."""

    @classmethod
    async def new_instance(cls) -> "SqliteSearchEngine":
        return cls()

    async def close(self) -> None:
        pass

    async def ping(self) -> bool:
        async with database.connect() as connection:
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
        async with reading() as connection:
            schema = await Schema.load(connection, dataset.id)
            matching = _Matching(dataset, schema, query, filter)
            keys = sort_keys(sort, schema) if sort else [SCORE.desc()]
            keys.append(_ROWID if user_id is None else _user_order(user_id))
            total = await connection.execute(matching.select(func.count()))
            page = await connection.execute(
                matching.select(RECORD_ID, scored=True)
                .order_by(*keys)
                .offset(min(offset, MAX_OFFSET))
                .limit(limit)
            )
            items = [_item(id, score) for id, score in page]
            return SearchResponses(items=items, total=total.scalar_one())

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
            raise ValueError(
                "Must provide either vector value or record to compute the similarity search"
            )
        given = value or (record and record.vector_value_by_vector_settings(vector_settings))
        if not given:
            raise ValueError("The record has no such vector")
        if len(given) != vector_settings.dimensions:
            raise UnprocessableEntityError(
                f"The vector has {len(given)} dimensions, but `{vector_settings.name}` has "
                f"{vector_settings.dimensions}."
            )
        ids = None
        if query is not None or filter is not None:
            async with reading() as connection:
                schema = await Schema.load(connection, dataset.id)
                # All in one string: 50,000 rows would keep the event loop busy.
                joined = _Matching(dataset, schema, query, filter).select(
                    func.group_concat(RECORD_ID)
                )
                ids = ((await connection.execute(joined)).scalar_one() or "").split(",")
        # Not against the clock: the first time takes as long as it takes.
        async with database.connect() as connection:
            matrix = await vectors.load(connection, vector_settings.id)
        nearest = await asyncio.to_thread(
            matrix.nearest,
            given,
            ids,
            without=record.id.hex if record is not None else None,
            farthest=order == SimilarityOrder.least_similar,
            n=max_results,
        )
        items = [_item(*pair) for pair in nearest if threshold is None or pair[1] >= threshold]
        return SearchResponses(items=items, total=len(items))

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
        async with reading() as connection:
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

    async def _nothing_to_do(self, *_: Any, **__: Any) -> None:
        """Nothing is kept besides the database, so there is nothing to write."""

    create_index = delete_index = index_records = delete_records = _nothing_to_do
    configure_metadata_property = configure_index_vectors = _nothing_to_do
    partial_record_update = update_record_response = delete_record_response = _nothing_to_do
    update_record_suggestion = delete_record_suggestion = _nothing_to_do


class _Matching:
    """The records of a data set that match a text query and a filter."""

    def __init__(
        self,
        dataset: Dataset,
        schema: Schema,
        query: TextQuery | str | None,
        filter: Filter | None,
    ) -> None:
        self.dataset = dataset
        self.where = [] if filter is None else [condition(filter, schema)]
        self.expression = None
        if query is not None:
            text = TextQuery(q=query) if isinstance(query, str) else query
            column = schema.text_column(text.field)
            try:
                self.expression = text_query.match(text.q, dataset.id.hex, column)
            except ValueError as error:
                raise UnprocessableEntityError(str(error)) from None

    def select(self, what: ColumnElement[Any], scored: bool = False) -> Select[Any]:
        """Select something of all of them, and how well each matches if they are scored."""
        if self.expression is None:
            # A score of 1, as for everything that matches a search for nothing in particular.
            scores = [literal(1.0).label(SCORE.name)] * scored
            own = Record.dataset_id == self.dataset.id
            return select(what, *scores).where(own, *self.where)
        index = literal_column(text_index.TABLE)
        rank = [(-func.bm25(index, MEMBERSHIP)).label(SCORE.name)] * scored
        # The limit is none, but has SQLite ask the index once, and not once for every record.
        found = (
            select(column("rowid"), *rank)
            .select_from(table(text_index.TABLE))
            .where(index.op("MATCH")(self.expression))
            .limit(-1)
            .subquery()
        )
        rowid, *scores = found.c
        joined = select(what, *scores).join_from(found, Record, rowid == _ROWID)
        return joined.where(*self.where)


async def _counts(statement: Any) -> dict[str, int]:
    async with database.connect() as connection:
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
