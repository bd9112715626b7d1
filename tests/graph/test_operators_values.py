"""Typed values: what is read from text, and how it compares."""

from __future__ import annotations

import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graph.values import (
    Incomparable,
    countries_in,
    dates_in,
    is_date,
    is_number,
    parse_country,
    parse_date,
    parse_number,
    parse_yes_no,
)


@pytest.mark.parametrize(
    ("text", "iso"),
    [
        ("19 June 2013", "2013-06-19"),
        ("June 19, 2013", "2013-06-19"),
        ("June 19th 2013", "2013-06-19"),
        ("the 19th of June, 2013", "2013-06-19"),
        ("19-June-2013", "2013-06-19"),
        ("2013-06-19", "2013-06-19"),
        ("25/06/2013", "2013-06-25"),
        ("born on 10 Sept. 1859 in Ohio", "1859-09-10"),
        ("May 1990", "1990-05"),
        ("1990", "1990"),
        ("936", "0936"),
        ("AD 79", "0079"),
        ("44 BC", "-0043"),
        ("c. 1870", "~1870"),
        ("the 1990s", "1990-01-01/1999-12-31"),
        ("19th century", "1801-01-01/1900-12-31"),
        ("4th century BC", "-0399-01-01/-0300-12-31"),
        ("323–272 BC", "-0322-01-01/-0271-12-31"),
        ("1998–99", "1998-01-01/1999-12-31"),
        ("from 1978 to 1996", "1978-01-01/1996-12-31"),
        ("3–5 June 1990", "1990-06-03/1990-06-05"),
        ("5 June – 7 July 1990", "1990-06-05/1990-07-07"),
        ("7 June 1860 - 9 May 1920", "1860-06-07/1920-05-09"),
        ("一九九八年五月", "1998-05"),
        ("1998年5月3日", "1998-05-03"),
        ("二〇〇八年八月八日", "2008-08-08"),
        ("二零二一年十二月廿五日", "2021-12-25"),
        ("公元前221年", "-0220"),
        ("十九世纪", "1801-01-01/1900-12-31"),
        ("20世纪90年代", "1990-01-01/1999-12-31"),
    ],
)
def test_dates_are_read_with_their_precision(text: str, iso: str) -> None:
    value = parse_date(text)
    assert value is not None
    assert value.iso() == iso


@pytest.mark.parametrize(
    "text", ["3,400 km", "1500 people", "five films", "30 February", "", "Toy Story 2", "1,990"]
)
def test_what_is_no_date_is_not_read_as_one(text: str) -> None:
    assert parse_date(text) is None


def test_a_day_that_the_month_lacks_is_not_read_as_that_day() -> None:
    value = parse_date("30 February 1990")
    assert value is None or value.iso() == "1990-02" or value.iso() == "1990"


def test_an_ambiguous_numeric_date_keeps_only_its_year() -> None:
    value = parse_date("05/06/1990")
    assert value is not None
    assert value.iso() == "1990"


def test_the_most_precise_date_of_a_text_is_taken() -> None:
    assert str(parse_date("a 1947 film released on 2 May 1948")) == "2 May 1948"
    assert [str(value) for value in dates_in("in 1947 and 1950")] == ["1947", "1950"]
    assert [str(value) for value in dates_in("between 1947 and 1950")] == ["1947 to 1950"]


@given(st.dates(min_value=datetime.date(1000, 1, 1)))
def test_every_way_of_writing_a_day_reads_as_that_day(day: datetime.date) -> None:
    for text in (
        f"{day.day} {day:%B} {day.year}",
        f"{day:%B} {day.day}, {day.year}",
        day.isoformat(),
        f"{day.year}年{day.month}月{day.day}日",
    ):
        value = parse_date(text)
        assert value is not None
        assert value.iso() == day.isoformat()
        assert is_date(text)
        assert parse_date(value.spoken("en")) == value == parse_date(value.spoken("zh"))


def test_dates_compare_only_where_the_order_is_certain() -> None:
    year, day, later = parse_date("1990"), parse_date("12 May 1990"), parse_date("1991")
    assert year and day and later
    assert year.compare(later) == -1
    assert later.compare(day) == 1
    assert year.compare(year) == 0
    with pytest.raises(Incomparable):
        year.compare(day)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("1.5 million", "1500000"),
        ("about 25 million records", "25000000"),
        ("3,400 km", "3400 km"),
        ("five", "5"),
        ("twenty-five", "25"),
        ("two hundred and five thousand", "205000"),
        ("a dozen", "12"),
        ("三千", "3000"),
        ("1.2亿", "120000000"),
        ("三亿两千万", "320000000"),
        ("一万五", "15000"),
        ("一百零五", "105"),
        ("3万5千", "35000"),
        ("两百五十公里", "250 km"),
        ("US$1.5 billion", "$1,500,000,000"),
        ("90分钟", "90 minutes"),
        ("12%", "12%"),
        ("-5 °C", "-5°C"),
    ],
)
def test_numbers_are_read_with_magnitude_and_unit(text: str, shown: str) -> None:
    value = parse_number(text)
    assert value is not None
    assert str(value) == shown


def test_feet_and_inches_are_one_length() -> None:
    tall, metric = parse_number("6 ft 2 in"), parse_number("188 cm")
    assert tall and metric
    assert abs(tall.base - metric.base) < 0.01


@given(st.integers(min_value=0, max_value=10**12))
def test_grouped_and_plain_digits_are_the_same_number(number: int) -> None:
    grouped = parse_number(f"{number:,}")
    assert grouped is not None
    assert grouped.value == number
    assert is_number(f"{number:,}")


@pytest.mark.parametrize(
    ("text", "truth"),
    [
        ("Yes, both are.", True),
        ("是的。", True),
        ("no", False),
        ("不是", False),
        ("No. 5", None),
        ("No Country for Old Men", None),
        ("Yesterday", None),
        ("", None),
    ],
)
def test_only_plain_yes_and_no_are_read(text: str, truth: bool | None) -> None:
    assert parse_yes_no(text) is truth


def test_letters_that_any_case_matches_are_read_as_the_letters_they_stand_for() -> None:
    assert countries_in("İran, Ruſſia and \N{KELVIN SIGN}enya") == ("Iran", "Russia", "Kenya")
    assert str(parse_date("12 Auguſt 1990")) == "12 August 1990"
    assert [str(parse_number(t)) for t in ("3 thouſand", "five thouſand")] == ["3000", "5000"]


def test_countries_are_known_by_name_demonym_and_in_chinese() -> None:
    assert {parse_country(t) for t in ("the U.S.", "American", "美国", "USA")} == {"United States"}
    assert countries_in("a British-American film director") == ("United Kingdom", "United States")
    assert countries_in("a turkey on a pole told us") == ()
    assert parse_country("American film") is None
