"""Keys and values, against the fake gateway."""

from collections.abc import Callable
from typing import Any

import pytest
from sporegate import keyvalue
from wit_world.imports import wasi_keyvalue_store_0_2_0_draft as store

from gateway import Gateway


@pytest.fixture
def bucket(gateway: Gateway) -> keyvalue.Bucket:
    gateway.buckets["seen"] = {}
    return keyvalue.open("seen")


def test_a_value_is_there_until_it_is_deleted(gateway: Gateway, bucket: keyvalue.Bucket) -> None:
    assert bucket.get("tea") is None and not bucket.exists("tea")
    bucket.set("tea", b"")
    assert bucket.get("tea") == b"" and bucket.exists("tea")
    bucket.set("tea", b"\xff\0")
    assert keyvalue.open("seen").get("tea") == b"\xff\0" and bucket.name == "seen"
    bucket.delete("tea")
    bucket.delete("tea")
    assert not bucket.exists("tea") and gateway.buckets == {"seen": {}}


def test_many_keys_are_one_call(gateway: Gateway, bucket: keyvalue.Bucket) -> None:
    bucket.set_many({"a": b"1", "ü": b""})
    assert bucket.get_many(["ü", "gone", "a"]) == [b"", None, b"1"]
    assert bucket.get_many(key for key in "a") == [b"1"]
    bucket.delete_many({"a", "gone"})
    assert gateway.buckets["seen"] == {"ü": b""}


def test_a_number_is_added_to(bucket: keyvalue.Bucket) -> None:
    assert [bucket.increment("n"), bucket.increment("n", 5), bucket.increment("n", 0)] == [1, 6, 6]
    assert bucket.get("n") == b"6" and bucket.increment("most", (1 << 64) - 1) == (1 << 64) - 1
    bucket.set("n", b"six")
    with pytest.raises(keyvalue.OtherError, match="^other: bucket 'seen': the value is not a number$"):
        bucket.increment("n")


@pytest.mark.parametrize("count", [0, 1, 2, 3, 4, 5])
def test_keys_come_from_all_pages(bucket: keyvalue.Bucket, count: int) -> None:
    names = [f"k{number}" for number in range(count)]
    bucket.set_many(dict.fromkeys(names, b""))
    assert list(bucket.keys()) == names


def test_no_page_is_fetched_before_it_is_asked_for(gateway: Gateway, bucket: keyvalue.Bucket) -> None:
    bucket.set_many(dict.fromkeys("abc", b""))
    keys = bucket.keys()
    assert [next(keys), next(keys)] == ["a", "b"]
    gateway.refuse = store.Error_Other("no more")
    with pytest.raises(keyvalue.OtherError, match="no more"):
        next(keys)


Calls = list[Callable[[], object]]


def calls_with(bucket: keyvalue.Bucket, key: Any) -> Calls:
    return [
        lambda: bucket.get(key), lambda: bucket.set(key, b""), lambda: bucket.delete(key),
        lambda: bucket.exists(key), lambda: bucket.increment(key), lambda: bucket.get_many(["a", key]),
        lambda: bucket.set_many({"a": b"", key: b""}), lambda: bucket.delete_many(["a", key]),
    ]


def test_an_error_is_an_exception_of_its_case(gateway: Gateway, bucket: keyvalue.Bucket) -> None:
    with pytest.raises(keyvalue.NoSuchStore, match="^no-such-store: bucket 'sene'$"):
        keyvalue.open("sene")
    gateway.refuse = store.Error_AccessDenied()
    with pytest.raises(keyvalue.AccessDenied, match="^access-denied: bucket 'seen'$"):
        keyvalue.open("seen")
    gateway.refuse = store.Error_Other("the bucket is full")
    calls: Calls = [*calls_with(bucket, "a"), lambda: list(bucket.keys())]
    for call in calls:
        with pytest.raises(keyvalue.KeyValueError) as caught:
            call()
        assert isinstance(caught.value, keyvalue.OtherError)
        assert (caught.value.bucket, caught.value.detail) == ("seen", "the bucket is full")


@pytest.mark.parametrize("key", [None, 7, b"a"])
def test_a_key_is_a_str(gateway: Gateway, bucket: keyvalue.Bucket, key: Any) -> None:
    opens: Calls = [lambda: keyvalue.open(key)]
    for call in calls_with(bucket, key) + opens:
        with pytest.raises(TypeError, match=f"is str, not {type(key).__name__}$"):
            call()
    assert gateway.buckets == {"seen": {}}


def test_a_key_is_unicode(gateway: Gateway, bucket: keyvalue.Bucket) -> None:
    opens: Calls = [lambda: keyvalue.open("\ud800")]
    for call in calls_with(bucket, "\ud800") + opens:
        with pytest.raises(ValueError, match="surrogates not allowed"):
            call()
    assert gateway.buckets == {"seen": {}}


@pytest.mark.parametrize("value", [None, 7, "text", bytearray(b"a")])
def test_a_value_is_bytes(gateway: Gateway, bucket: keyvalue.Bucket, value: Any) -> None:
    calls: Calls = [lambda: bucket.set("a", value), lambda: bucket.set_many({"b": b"", "a": value})]
    for call in calls:
        with pytest.raises(TypeError, match=f"^a value is bytes, not {type(value).__name__}$"):
            call()
    assert gateway.buckets == {"seen": {}}


def test_a_delta_has_64_bits(gateway: Gateway, bucket: keyvalue.Bucket) -> None:
    for number in (-1, 1 << 64):
        with pytest.raises(ValueError, match="^delta is from 0 to 2\\^64 - 1, not "):
            bucket.increment("n", number)
    wrong: Any = 1.0
    with pytest.raises(TypeError, match="^delta is int, not float$"):
        bucket.increment("n", wrong)
    assert gateway.buckets == {"seen": {}}
