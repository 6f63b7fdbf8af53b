"""Argilla's filters and sort orders as SQL over the server's own tables.

JSON columns are read with SQLite's JSON functions. `json_each` gives one row for a single value
and a row each for the values of a list, so "any of its values" needs no case of its own.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, time
from typing import Any

from argilla_server.enums import (
    ResponseStatusFilter,
    SortOrder,
)
from argilla_server.errors.future import UnprocessableEntityError
from argilla_server.models import Record, Response, Suggestion
from argilla_server.search_engine import (
    AndFilter,
    Filter,
    FilterScope,
    MetadataFilterScope,
    Order,
    RangeFilter,
    RecordFilterScope,
    ResponseFilterScope,
    SuggestionFilterScope,
    TermsFilter,
)
from sqlalchemy import (
    ColumnElement,
    String,
    and_,
    exists,
    false,
    func,
    or_,
    select,
    true,
    type_coerce,
)

from scripts.argilla_server.schema import Schema

MISSING = "None"  # what the server passes on when the page leaves the property out

# Ids as they are stored (32 hex digits): reading 50,000 of them as UUID objects takes its time.
RECORD_ID = type_coerce(Record.id, String)
# Joined to nothing, so that SQLite looks a record's responses up by the record, and not by their
# status, which makes it read all of them again for every record.
RESPONSE_STATUS = type_coerce(Response.status, String).concat("")


def condition(filter: Filter, schema: Schema) -> ColumnElement[bool]:
    """Say in SQL which records a filter lets through.

    Raises UnprocessableEntityError (the client sees status 422) for a filter that makes no sense,
    such as a range from a word to a number.
    """
    if isinstance(filter, AndFilter):
        return and_(true(), *(condition(part, schema) for part in filter.filters))
    scope = filter.scope
    if isinstance(scope, RecordFilterScope):
        return _record(filter, scope)
    if isinstance(scope, MetadataFilterScope):
        values = _each(Record.metadata_, _path(scope.metadata_property))
        numeric = schema.metadata_is_number(scope.metadata_property)
        return exists(select(1).select_from(values).where(_holds(filter, values.c.value, numeric)))
    if isinstance(scope, SuggestionFilterScope):
        return _suggestion(filter, scope, schema)
    if isinstance(scope, ResponseFilterScope):
        return _response(filter, scope, schema)
    raise UnprocessableEntityError(f"Cannot filter by {scope}.")


def _record(filter: Filter, scope: RecordFilterScope) -> ColumnElement[bool]:
    property = str(scope.property)
    if property in ("inserted_at", "updated_at"):
        column = getattr(Record, property)
        if isinstance(filter, TermsFilter):
            return or_(
                false(),
                *(column.between(_moment(v), _moment(v, end=True)) for v in filter.values),
            )
        return _between(column, filter, _moment, lambda value: _moment(value, end=True))
    if property == "id" and isinstance(filter, TermsFilter):
        return RECORD_ID.in_([value.replace("-", "").lower() for value in filter.values])
    # An enumeration's column would refuse to be compared with a value that it doesn't have.
    return _holds(filter, type_coerce(getattr(Record, property), String), numeric=False)


def _suggestion(
    filter: Filter, scope: SuggestionFilterScope, schema: Schema
) -> ColumnElement[bool]:
    question_id, rating = schema.question(scope.question)
    # Not looked up record by record, which takes twice the time.
    found = select(Suggestion.record_id).where(Suggestion.question_id == question_id)
    property = _suggestion_property(scope)
    if property in ("agent", "type"):
        column = type_coerce(getattr(Suggestion, property), String)
        found = found.where(_holds(filter, column, numeric=False))
    else:
        values = _each(getattr(Suggestion, property))
        numeric = rating or property == "score"
        found = found.join(values, true()).where(_holds(filter, values.c.value, numeric))
    return Record.id.in_(found)


def _response(filter: Filter, scope: ResponseFilterScope, schema: Schema) -> ColumnElement[bool]:
    own = _own_responses(scope)
    if scope.question:
        _, rating = schema.question(scope.question)
        values = _each(Response.values, _path(scope.question, "value"))
        return exists(
            select(1)
            .select_from(Response)
            .join(values, true())
            .where(own, _holds(filter, values.c.value, rating))
        )
    if scope.property != "status" or not isinstance(filter, TermsFilter):
        raise UnprocessableEntityError(
            "Responses can be filtered by the values of a question, or by a list of statuses."
        )
    statuses = set(map(str, filter.values))
    pending = statuses & {str(ResponseStatusFilter.pending)}
    answered = statuses - pending
    ways = []
    if pending:  # nothing is stored for it
        ways.append(~exists(select(1).where(own)))
    if answered:
        ways.append(exists(select(1).where(own, RESPONSE_STATUS.in_(sorted(answered)))))
    return or_(*ways) if ways else true()


def sort_keys(orders: Sequence[Order], schema: Schema) -> list[ColumnElement[Any]]:
    """Say in SQL how to sort; records that have no such value come last, either way."""
    keys: list[ColumnElement[Any]] = []
    for order in orders:
        descending = order.order == SortOrder.desc
        value = _sort_value(order.scope, schema, descending)
        keys.append((value.desc() if descending else value.asc()).nulls_last())
    return keys


def _sort_value(scope: FilterScope, schema: Schema, descending: bool) -> ColumnElement[Any]:
    """One value a record; of several, the one that comes first in the given direction."""
    first = func.max if descending else func.min
    if isinstance(scope, RecordFilterScope):
        column = getattr(Record, str(scope.property))
        dates = scope.property in ("inserted_at", "updated_at")
        return column if dates else type_coerce(column, String)
    if isinstance(scope, MetadataFilterScope):
        path = _path(scope.metadata_property)
        if schema.metadata_is_number(scope.metadata_property):
            return func.json_extract(Record.metadata_, path)
        values = _each(Record.metadata_, path)
        return select(first(values.c.value)).select_from(values).scalar_subquery()
    if isinstance(scope, SuggestionFilterScope):
        question_id, _ = schema.question(scope.question)
        own = and_(Suggestion.record_id == Record.id, Suggestion.question_id == question_id)
        property = _suggestion_property(scope)
        if property in ("agent", "type"):
            column = type_coerce(getattr(Suggestion, property), String)
            return select(column).where(own).scalar_subquery()
        values = _each(getattr(Suggestion, property))
        return (
            select(first(values.c.value))
            .select_from(Suggestion)
            .join(values, true())
            .where(own)
            .scalar_subquery()
        )
    if isinstance(scope, ResponseFilterScope):
        own = _own_responses(scope)
        if scope.question:
            _, rating = schema.question(scope.question)
            values = _each(Response.values, _path(scope.question, "value"))
            # Several annotators' ratings are averaged; labels have no average.
            pick = func.avg if rating else first
            return (
                select(pick(values.c.value))
                .select_from(Response)
                .join(values, true())
                .where(own)
                .scalar_subquery()
            )
        if scope.property == "status":
            return select(first(RESPONSE_STATUS)).where(own).scalar_subquery()
    raise UnprocessableEntityError(f"Cannot sort by {scope}.")


def _own_responses(scope: ResponseFilterScope) -> ColumnElement[bool]:
    """The responses of a record, of one user or of all."""
    own = Response.record_id == Record.id
    return and_(own, Response.user_id == scope.user.id) if scope.user else own


def _suggestion_property(scope: SuggestionFilterScope) -> str:
    property = str(scope.property)
    return "value" if property in ("", MISSING) else property


def _path(*names: str) -> str:
    return "$" + "".join(f'."{name}"' for name in names)


def _each(column: Any, path: str = "$") -> Any:
    """A row (column "value") for each value that a JSON column holds at a path."""
    return func.json_each(type_coerce(column, String), path).table_valued("value")


def _holds(filter: Filter, value: Any, numeric: bool) -> ColumnElement[bool]:
    """Whether a single value is among a filter's terms or in its range."""
    if isinstance(filter, RangeFilter):
        bound = _number_or_error if numeric else str
        return _between(value, filter, bound, bound)
    if not isinstance(filter, TermsFilter):
        raise UnprocessableEntityError(f"Cannot filter by {filter}.")
    if not numeric:
        return value.in_(list(map(str, filter.values)))
    # Terms always arrive as strings: "10" stands for the number.
    numbers = [number for number in map(_number, filter.values) if number is not None]
    return and_(value.is_not(None), type_coerce(value, String).in_(numbers))


def _between(column: Any, filter: RangeFilter, low: Any, high: Any) -> ColumnElement[bool]:
    parts: list[ColumnElement[bool]] = [column.is_not(None)]
    if filter.ge is not None:
        parts.append(column >= low(filter.ge))
    if filter.le is not None:
        parts.append(column <= high(filter.le))
    return and_(*parts)


def _number(value: Any) -> float | None:
    try:
        return float(value)
    except ValueError:
        return None


def _number_or_error(value: Any) -> float:
    number = _number(value)
    if number is None:
        raise UnprocessableEntityError(f"`{value}` is not a number.")
    return number


def _moment(value: Any, end: bool = False) -> datetime:
    """A date as the database keeps them (UTC, without saying so).

    Numbers are milliseconds since 1970, and a day without a time means all of it: as the upper
    end of a range, its last moment.
    """
    number = _number(value)
    try:
        if number is not None:
            return datetime.fromtimestamp(number / 1000, UTC).replace(tzinfo=None)
        text = str(value).strip()
        moment = datetime.fromisoformat(text)
        if len(text) <= len("2024-01-01") and end:
            return datetime.combine(moment.date(), time.max)
        return moment.astimezone(UTC).replace(tzinfo=None) if moment.tzinfo else moment
    except (ValueError, OverflowError, OSError):
        raise UnprocessableEntityError(f"`{value}` is not a date.") from None
