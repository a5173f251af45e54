"""Reading the recorded log: nothing is lost, and what cannot be read is told."""

import gzip
from datetime import UTC, datetime, timedelta, timezone

import pytest

from config.demo import log, usage


def test_whole_log_has_its_published_sums():
    requests = log.read()

    assert usage.totals(requests) == usage.Totals(requests=10_000, size=2_747_282_740)
    assert sum(1 for request in requests if request.size == 0) == 669
    assert len({request.address for request in requests}) == 1_753
    assert [request.line for request in requests] == list(range(1, 10_001))


def test_log_spans_four_days_of_one_month():
    days = {request.at.astimezone(UTC).date().isoformat() for request in log.read()}

    assert days == {"2015-05-17", "2015-05-18", "2015-05-19", "2015-05-20"}


def test_line_becomes_a_request_without_its_query(tmp_path):
    file = _log(tmp_path, '198.51.100.7 - - [17/May/2015:10:05:03 +0200] "GET /a/b?secret=1 HTTP/1.1" 206 - "-" "x"')

    (request,) = log.read(file)

    at = datetime(2015, 5, 17, 10, 5, 3, tzinfo=timezone(timedelta(hours=2)))
    assert request == log.Request(line=1, address="198.51.100.7", at=at, method="GET", path="/a/b", status=206, size=0)


def test_line_that_is_none_is_told_with_its_number(tmp_path):
    good = '198.51.100.7 - - [17/May/2015:10:05:03 +0000] "GET / HTTP/1.1" 200 12 "-" "x"'
    file = _log(tmp_path, good, "something else")

    with pytest.raises(log.UnreadableLog, match="line 2"):
        log.read(file)


def _log(folder, *lines):
    path = folder / "log.gz"
    with gzip.open(path, "wt", encoding="utf-8") as file:
        file.writelines(f"{line}\n" for line in lines)
    return path
