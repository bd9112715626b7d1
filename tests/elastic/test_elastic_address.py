"""The address of a corpus: what is read, what is refused, and that no password is shown."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from retrievers.elastic import (
    ElasticsearchAddressError,
    ElasticsearchConnection,
    ElasticsearchRetriever,
    ElasticsearchSettings,
)


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("http://host:9200/corpus", "not an Elasticsearch address"),
        ("es://host:9200", "corpus"),
        ("es://host:9200/Upper Case", "corpus"),
        ("es://ann:hunter2@host:99999/corpus", "cannot be read"),
        ("es://ann:hunter2@host/corpus?timeout=never", "timeout"),
        ("es://ann:hunter2@host/corpus?tiemout=3", "tiemout"),
        ("es://ann:hunter2@[::1/corpus", "cannot be read"),
    ],
)
def test_a_wrong_address_is_refused_without_showing_the_password(
    address: str, message: str
) -> None:
    with pytest.raises(ElasticsearchAddressError, match=message) as told:
        ElasticsearchSettings.from_url(address)
    assert "hunter2" not in str(told.value)


def test_the_password_may_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOPTREE_ELASTICSEARCH_PASSWORD", "hunter2")
    settings = ElasticsearchSettings.from_url("es://ann@host/corpus")
    assert settings.password and settings.password.get_secret_value() == "hunter2"
    assert settings.port == 9200


@given(st.text(max_size=80))
def test_any_text_is_read_or_refused_by_name(text: str) -> None:
    for address in (text, f"es://{text}", f"es://host/{text}"):
        with suppress(ElasticsearchAddressError):
            ElasticsearchSettings.from_url(address)


def test_address_goes_before_the_settings_and_these_before_the_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HOPTREE_ELASTICSEARCH_PASSWORD", "of-the-environment")
    connection = ElasticsearchConnection(user="ann", password=SecretStr("of-us"), timeout=3)
    mixed = ElasticsearchSettings.from_url("es://bob@host/corpus?timeout=5", connection)
    written = ElasticsearchSettings.from_url("es://bob:written@host/corpus", connection)

    assert (mixed.user, mixed.timeout) == ("bob", 5)
    assert mixed.password == SecretStr("of-us")
    assert (written.password, written.timeout) == (SecretStr("written"), 3)


def test_no_form_of_the_settings_shows_the_password() -> None:
    settings = ElasticsearchSettings.from_url("es+https://ann:hunter2@host:9243/wiki?timeout=5")
    retriever = ElasticsearchRetriever(settings)

    assert settings.url == "es+https://host:9243/wiki"
    assert settings.password == SecretStr("hunter2")
    assert "hunter2" not in repr(settings) + str(settings) + repr(retriever) + settings.url
