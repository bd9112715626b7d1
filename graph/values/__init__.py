"""Typed values read out of answer text, English and Chinese: dates, numbers, countries, yes/no.

Reading is by explicit grammar, so what is not understood stays unread (None) and is never guessed.
Comparing raises `Incomparable` wherever the order is not certain.
"""

from graph.values.date_grammar import dates_in, is_date, parse_date, replace_dates
from graph.values.dates import DateValue, Precision, full_days
from graph.values.errors import Incomparable
from graph.values.numerals import (
    NumberValue,
    is_number,
    numbers_in,
    parse_number,
    replace_numbers,
    spellings,
)
from graph.values.places import (
    countries_in,
    is_country,
    is_demonym,
    parse_country,
    shared_countries,
)
from graph.values.quantities import could_be_quantity, quantity_asked
from graph.values.truth import parse_yes_no, yes_no

__all__ = [
    "DateValue",
    "Incomparable",
    "NumberValue",
    "Precision",
    "could_be_quantity",
    "countries_in",
    "dates_in",
    "full_days",
    "is_country",
    "is_date",
    "is_demonym",
    "is_number",
    "numbers_in",
    "parse_country",
    "parse_date",
    "parse_number",
    "parse_yes_no",
    "quantity_asked",
    "replace_dates",
    "replace_numbers",
    "shared_countries",
    "spellings",
    "yes_no",
]
