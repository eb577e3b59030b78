"""ONNX Runtime sessions: made on first use, once per process, never used across a fork.

The only module of the product's running parts that imports onnxruntime. The surprising thing: a
session inherited through fork is neither used nor freed. ONNX Runtime's thread pool does not exist
in the child, and destroying such a session can crash (microsoft/onnxruntime pull 31961), so the
child keeps a reference for ever and builds its own.
"""

from __future__ import annotations

import hashlib
import os
import threading
import weakref
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from segmentation.errors import ModelError

Array = npt.NDArray[Any]

# Threads wait awake for their next part as long as sleeping and waking takes: an encoding of two
# thousand small operators is faster for no more CPU. ONNX Runtime's own 1 ms and more, also after a
# run, would burn the cores that the web process's other requests need.
_SPINNING: Final = {
    "intra_op.allow_spinning": "1",
    "intra_op.spin_duration_us": "100",
    "force_spinning_stop": "1",
}
CPU_ONLY: Final = ("CPUExecutionProvider",)
# Instructions that add products of bytes in 32 bits. Without them two products are added in 16,
# where they overflow.
_VNNI_FLAGS: Final = {"avx512_vnni", "avx_vnni", "amx_int8"}
_INHERITED: Final[list[Any]] = []  # sessions of a parent process: kept alive, never touched
_CPU_INFO: Final = Path("/proc/cpuinfo")
_LIVE: Final[weakref.WeakSet[LazySession]] = weakref.WeakSet()


def int8_products_saturate(cpu_info: Path) -> bool:
    """True when a processor (as in /proc/cpuinfo) adds products of bytes in 16 bits.

    Those of x86 without VNNI do; False where nothing is said of x86's instructions. In a simulation
    the layers of the wall network came out wrong there by enough to be seen. Exact sums take
    longer.
    """
    try:
        lines = cpu_info.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return False
    flags = next((line.split() for line in lines if line.startswith("flags")), [])
    return bool(flags) and not _VNNI_FLAGS.intersection(flags)


@dataclass(frozen=True, slots=True)
class Tensor:
    """One input or output of a graph: name, element type as ONNX Runtime prints it, shape."""

    name: str
    type: str
    shape: tuple[int | str | None, ...]


@dataclass(frozen=True, slots=True)
class Signature:
    """The inputs and outputs of a loaded graph, by name."""

    inputs: Mapping[str, Tensor]
    outputs: Mapping[str, Tensor]


class LazySession:
    """One ONNX file, loaded on first `run` in the current process.

    path: the file. sha256: its expected digest in hex, or None to accept any content. threads:
    intra-op threads. check: called once per load with the signature; raises ModelError to refuse.
    exact_int8: int8 layers must be right on every processor, slower where it takes that; for graphs
    that no set-up has compared with their float32 originals on this machine. providers: ONNX
    Runtime's execution providers, the preferred one first; the CPU runs what they cannot.
    """

    def __init__(
        self,
        path: Path,
        *,
        sha256: str | None,
        threads: int,
        check: Callable[[Path, Signature], None],
        exact_int8: bool = False,
        providers: Sequence[str] = CPU_ONLY,
    ) -> None:
        self.path = path
        self._exact_int8 = exact_int8
        self._providers = list(providers)
        self._sha256 = sha256
        self._threads = max(1, threads)
        self._check = check
        self._lock = threading.Lock()
        self._pid = -1
        self._session: Any = None
        self._signature: Signature | None = None
        _LIVE.add(self)

    def run(self, outputs: Sequence[str], feeds: Mapping[str, Array]) -> list[Array]:
        """Run the graph; thread-safe.

        Raises:
            ModelError: the file cannot be used, or a provider is not there.
        """
        return list(self._get().run(list(outputs), dict(feeds)))

    @property
    def signature(self) -> Signature:
        """Inputs and outputs of the graph; loads it when needed."""
        self._get()
        if self._signature is None:
            raise ModelError(f"{self.path}: loaded without a signature")
        return self._signature

    @property
    def loaded(self) -> bool:
        """True when this process has already built the session."""
        return self._session is not None and self._pid == os.getpid()

    def _get(self) -> Any:
        if self.loaded:
            return self._session
        with self._lock:
            if not self.loaded:
                self._abandon()
                self._session, self._signature = self._load()
                self._pid = os.getpid()
            return self._session

    def _load(self) -> tuple[Any, Signature]:
        # Imported here so that a process that never segments (RQ's parent) never starts its
        # threads.
        import onnxruntime as ort

        _check_providers(self._providers, ort.get_available_providers())
        data = _read(self.path, self._sha256)
        options = ort.SessionOptions()
        options.intra_op_num_threads = self._threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        # Patterns plan one block for all of a run's tensors and never give it back: a web process
        # that has encoded six photos holds 848 MiB with them and 602 without, in the same time.
        options.enable_mem_pattern = False
        if self._exact_int8 and int8_products_saturate(_CPU_INFO):
            options.add_session_config_entry("session.x64quantprecision", "1")
        for key, value in _SPINNING.items():
            options.add_session_config_entry(f"session.{key}", value)
        try:
            session = ort.InferenceSession(data, options, providers=self._providers)
        except Exception as error:  # onnxruntime's exceptions share no base but Exception
            raise ModelError(f"{self.path}: onnxruntime cannot load it: {error}") from error
        signature = Signature(
            {t.name: _tensor(t) for t in session.get_inputs()},
            {t.name: _tensor(t) for t in session.get_outputs()},
        )
        self._check(self.path, signature)
        return session, signature

    def _abandon(self) -> None:
        if self._session is not None:
            _INHERITED.append(self._session)
            self._session = None

    def _after_fork(self) -> None:
        self._lock = threading.Lock()  # the parent's may have been held by a thread not here
        self._abandon()


def _check_providers(wanted: Sequence[str], available: Sequence[str]) -> None:
    """Refuse what ONNX Runtime would only warn of, and then run on the CPU.

    Raises:
        ModelError: a provider is not part of the installed ONNX Runtime, or none is given.
    """
    missing = [name for name in wanted if name not in available]
    if missing or not wanted:
        raise ModelError(
            f"execution providers {', '.join(missing) or 'none given'}: "
            f"the installed onnxruntime has {', '.join(available)}"
        )


def _reset_after_fork() -> None:
    for session in list(_LIVE):
        session._after_fork()


os.register_at_fork(after_in_child=_reset_after_fork)


def file_digest(path: Path) -> str:
    """SHA-256 of a file in hex.

    Raises:
        ModelError: it cannot be read.
    """
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise ModelError(f"{path}: cannot be read ({error.strerror or error})") from error


def _read(path: Path, sha256: str | None) -> bytes:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ModelError(
            f"{path}: cannot be read ({error.strerror or error}); `manage.py fetch_models` puts "
            "the model files in place"
        ) from error
    found = hashlib.sha256(data).hexdigest()
    if sha256 is not None and found != sha256:
        raise ModelError(
            f"{path}: expected sha256 {sha256}, found {found} ({len(data)} bytes); "
            "`manage.py fetch_models` replaces it"
        )
    return data


def _tensor(node: Any) -> Tensor:
    return Tensor(str(node.name), str(node.type), tuple(node.shape))


def as_float32(array: Array) -> npt.NDArray[np.float32]:
    """The same values as contiguous float32."""
    return np.ascontiguousarray(array, np.float32)
