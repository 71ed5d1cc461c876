"""What a storage says when it cannot, and what a killed writer leaves."""

from __future__ import annotations

import errno
import os
import signal
import socket
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from s3_server import S3Server

from wav2patch.datasets.storage import connection as remote_connection
from wav2patch.datasets.storage import remote as remote_storage
from wav2patch.datasets.storage.base import open_storage
from wav2patch.errors import UserError

ASKS: dict[str, Callable[[str], object]] = {
    "exists": lambda address: open_storage(address).exists("a"),
    "names": lambda address: open_storage(address).names(),
    "read": lambda address: open_storage(address).read_bytes("a"),
    "write": lambda address: open_storage(address).write_bytes("a", b"x"),
    "local": lambda address: open_storage(address).local("a"),
}


def one_sentence(error: pytest.ExceptionInfo[UserError]) -> bool:
    text = str(error.value)
    return 10 < len(text) < 400 and text.endswith(".") and "\n" not in text


def child(code: str, *arguments: object) -> subprocess.Popen[str]:
    """A process of its own that has opened the storage of its first argument as `storage`."""
    start = (
        "import sys\nfrom wav2patch.datasets.storage.base import open_storage\nstorage = open_storage(sys.argv[1])\n"
    )
    return subprocess.Popen(
        [sys.executable, "-c", start + textwrap.dedent(code), *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.parametrize("ask", ASKS)
def test_a_missing_bucket_is_one_sentence(s3: str, ask: str) -> None:
    with pytest.raises(UserError, match="There is no bucket nobodys-bucket") as error:
        ASKS[ask]("s3://nobodys-bucket/set")
    assert one_sentence(error)


@pytest.fixture
def suspicious(s3: str, s3_server: S3Server) -> Iterator[str]:
    s3_server.check_credentials(True)
    yield s3
    s3_server.check_credentials(False)


@pytest.mark.parametrize("ask", ASKS)
def test_wrong_credentials_are_one_sentence(suspicious: str, ask: str) -> None:
    with pytest.raises(UserError, match=r"was refused .* check your credentials") as error:
        ASKS[ask](suspicious)
    assert one_sentence(error)


def test_no_credentials_are_one_sentence(s3: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    with pytest.raises(UserError, match=r"No credentials were found for s3://.*AWS_PROFILE") as error:
        ASKS["exists"](s3)
    assert one_sentence(error)


def test_a_profile_that_is_not_there_is_one_sentence(s3: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    with pytest.raises(UserError, match="nobody") as error:
        ASKS["exists"](s3)
    assert one_sentence(error)


def test_both_names_of_the_server_are_honoured(s3: str, s3_server: S3Server, monkeypatch: pytest.MonkeyPatch) -> None:
    open_storage(s3).write_bytes("a", b"x")
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", s3_server.url)
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    assert open_storage(s3).read_bytes("a") == b"x"
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "")
    monkeypatch.setenv("AWS_ENDPOINT_URL", s3_server.url)
    assert open_storage(s3).read_bytes("a") == b"x"


@pytest.mark.parametrize("ask", ASKS)
def test_a_server_that_is_not_there_is_one_sentence_soon(s3: str, monkeypatch: pytest.MonkeyPatch, ask: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        free = server.getsockname()[1]
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{free}")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "2")
    start = time.monotonic()
    with pytest.raises(UserError, match=r"could not be reached .*AWS_ENDPOINT_URL") as error:
        ASKS[ask](s3)
    assert one_sentence(error)
    assert time.monotonic() - start < remote_connection.ASK_SECONDS


@pytest.mark.parametrize("ask", ASKS)
def test_a_server_that_never_answers_is_one_sentence_soon(s3: str, monkeypatch: pytest.MonkeyPatch, ask: str) -> None:
    monkeypatch.setattr(remote_connection, "ASK_SECONDS", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as server:
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{server.getsockname()[1]}")
        start = time.monotonic()
        with pytest.raises(UserError, match=r"could not be reached .*no answer in time") as error:
            ASKS[ask](s3)
    assert one_sentence(error)
    assert time.monotonic() - start < 5


def test_a_line_that_goes_dead_is_given_up(s3: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remote_connection, "CALL_SECONDS", 0.3)
    monkeypatch.setattr(remote_connection, "WAITS", (0.0,))
    monkeypatch.setattr(remote_connection.Connection, "_knock", lambda self, system: None)
    start = time.monotonic()
    with socket.create_server(("127.0.0.1", 0)) as server:
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{server.getsockname()[1]}")
        with pytest.raises(UserError, match=r"could not be reached .*no answer in time"):
            open_storage(s3).write_bytes("a", bytes(100))
    assert time.monotonic() - start < 5


def test_a_server_that_is_no_address_is_one_sentence(s3: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "nonsense")
    with pytest.raises(UserError, match="nonsense") as error:
        ASKS["exists"](s3)
    assert one_sentence(error)


@pytest.mark.parametrize(
    ("module", "address", "words"),
    [
        ("s3fs", "s3://bucket/set", "pip install 'wav2patch[s3]'"),
        ("fsspec", "s3://bucket/set", "pip install 'wav2patch[data]'"),
        ("gcsfs", "gs://bucket/set", "pip install 'gcsfs'"),
    ],
)
def test_what_is_not_installed_is_one_sentence(module: str, address: str, words: str) -> None:
    # In a process of its own: fsspec remembers what it has imported.
    code = """
        import sys
        sys.modules[sys.argv[2]] = None
        from wav2patch.datasets.storage.base import open_storage
        from wav2patch.errors import UserError
        try:
            open_storage(sys.argv[1])
        except UserError as error:
            print(error)
    """
    command = [sys.executable, "-c", textwrap.dedent(code), address, module]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.count("\n") == 1
    assert words in done.stdout


def test_a_passing_failure_is_tried_again_once_the_line_has_worked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remote_connection, "WAITS", (0.0, 0.0))
    storage = open_storage("memory://passing/set")
    assert isinstance(storage, remote_storage.RemoteStorage)
    left = [ConnectionResetError(errno.ECONNRESET, "reset"), OSError(errno.EBUSY, "slow down")]

    def flaky(system: object) -> str:
        if left:
            raise left.pop()
        return "done"

    with pytest.raises(UserError, match=r"no bucket|no file"):
        storage.read_bytes("a")
    assert storage.connection.run("a", flaky, storage.place) == "done"
    left += [ConnectionResetError(errno.ECONNRESET, "reset")] * 3
    with pytest.raises(UserError, match="could not be reached"):
        storage.connection.run("a", flaky, storage.place)
    assert not left
    left += [OSError(errno.EACCES, "refused"), OSError(errno.EACCES, "refused")]
    with pytest.raises(UserError, match="was refused"):
        storage.connection.run("a", flaky, storage.place)
    assert len(left) == 1


def test_a_killed_writer_leaves_nothing_in_a_folder(tmp_path: Path) -> None:
    storage = open_storage(tmp_path)
    writer = child(
        """
        import os
        with storage.writing("a.h5") as path:
            path.write_bytes(b"half")
            print(path.name, flush=True)
            os.kill(os.getpid(), 9)
        """,
        tmp_path,
    )
    left = writer.communicate(timeout=60)[0].strip()
    assert writer.returncode == -signal.SIGKILL
    assert storage.names() == []
    assert not storage.exists("a.h5")
    assert [path.name for path in tmp_path.iterdir()] == [left]
    assert storage.tidy() == [left]
    assert list(tmp_path.iterdir()) == []


def test_a_killed_writer_leaves_nothing_in_a_bucket(
    s3: str, s3_server: S3Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    storage = open_storage(f"{s3}/set")
    writer = child(
        """
        import time
        from s3fs import S3FileSystem
        call = S3FileSystem._call_s3
        def stop_before_the_end(self, method, *arguments, **options):
            if method == "complete_multipart_upload":
                print("all but complete", flush=True)
                time.sleep(60)
            return call(self, method, *arguments, **options)
        S3FileSystem._call_s3 = stop_before_the_end
        with storage.writing("a.h5") as path:
            path.write_bytes(bytes(40 * 2**20))
        """,
        f"{s3}/set",
    )
    assert writer.stdout is not None
    assert writer.stdout.readline() == "all but complete\n"
    writer.kill()
    writer.communicate()
    drafts = Path(os.environ["WAV2PATCH_CACHE"]) / "drafts"
    assert len(list(drafts.iterdir())) == 1
    assert storage.names() == []
    assert not storage.exists("a.h5")
    monkeypatch.setattr(remote_storage, "LEFTOVER_AGE", 1e12)  # moto says that every upload was begun in 2010
    assert storage.tidy() == []  # somebody may still be sending it
    assert list(drafts.iterdir()) == []
    bucket = s3.removeprefix("s3://")
    assert len(s3_server.client().list_multipart_uploads(Bucket=bucket)["Uploads"]) == 1
    monkeypatch.undo()
    assert storage.at("..").tidy() == []  # another folder's
    assert storage.tidy() == ["a.h5"]
    assert "Uploads" not in s3_server.client().list_multipart_uploads(Bucket=bucket)


FULL_DISK = """
    import resource
    from wav2patch.errors import UserError
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, 10_000))
    def fill():
        with storage.writing("a.h5") as path:
            path.write_bytes(bytes(20_000))
    for act in fill, lambda: storage.local("big"), lambda: storage.write_bytes("big", bytes(20_000)):
        try:
            act()
        except UserError as error:
            print(error)
        else:
            print("done")
"""


@pytest.mark.parametrize("kind", ["local", "s3"])
def test_a_full_disk_is_one_sentence(request: pytest.FixtureRequest, tmp_path: Path, kind: str) -> None:
    pytest.importorskip("resource")
    address = str(tmp_path / "set") if kind == "local" else request.getfixturevalue("s3")
    storage = open_storage(address)
    storage.write_bytes("big", bytes(15_000))
    output, errors = child(FULL_DISK, address).communicate(timeout=60)
    filling, fetching, writing = output.splitlines()
    assert "Traceback" not in errors
    assert "a.h5 could not be written" in filling
    assert "File too large" in filling
    if kind == "local":
        assert fetching == "done"
        assert "big could not be written: File too large." in writing
    else:
        assert "big could not be written: File too large." in fetching
        assert writing == "done"
        cache = Path(os.environ["WAV2PATCH_CACHE"])
        assert [path.name for path in cache.rglob("*") if path.is_file()] == ["lock"]
    assert storage.names() == ["big"]


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="needs a folder that even root may not write to")
def test_a_read_only_folder_is_one_sentence() -> None:
    storage = open_storage("/proc/self")
    with pytest.raises(UserError, match=r"^/proc/self/a could not be written: .*\.$"):
        storage.write_bytes("a", b"x")
    with pytest.raises(UserError, match=r"^/proc/self/below/a could not be written: .*\.$"), storage.writing("below/a"):
        pass


def test_a_folder_that_is_a_file_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    storage = open_storage(tmp_path / "file")
    for ask in (
        storage.names,
        lambda: storage.write_bytes("a", b"x"),
        lambda: storage.read_bytes("a"),
        lambda: storage.local("a"),
    ):
        with pytest.raises(UserError) as error:
            ask()
        assert one_sentence(error)
    assert not storage.exists("a")


def test_a_cache_that_cannot_be_made_is_one_sentence(s3: str, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    storage = open_storage(s3, cache=tmp_path / "file" / "cache")
    storage.write_bytes("a", b"x")
    with pytest.raises(UserError, match="WAV2PATCH_CACHE names another folder"):
        storage.local("a")
    with pytest.raises(UserError, match="WAV2PATCH_CACHE names another folder"), storage.writing("b"):
        pass
    assert storage.names() == ["a"]
