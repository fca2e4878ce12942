"""What one submission may take of the machine: every number in one place."""

from __future__ import annotations

from dataclasses import dataclass

MIB = 2**20


@dataclass(frozen=True)
class Limits:
    """How much one job may have; all its processes share it, unless it says otherwise.

    Attributes:
        memory: Bytes that it may hold beyond what the warm process had already: more ends it. Asking for more
            in one process raises `MemoryError` there first.
        processes: Processes and threads at a time; the next one cannot be started.
        disk: Bytes in its folder for files, and as many in `/dev/shm`; both are memory.
        files: Files and folders in each of the two.
        open_files: Files, pipes and sockets that one process holds open.
        processor_seconds: What one process may compute in all. The wall clock of a check comes first; this
            one holds even if nobody is left to look at a clock.
        gpu_memory: Bytes on the GPU, the few hundred MB that CUDA itself takes there included.

    >>> Limits(memory=512 * MIB).processes
    64
    """

    memory: int = 2048 * MIB
    processes: int = 64
    disk: int = 64 * MIB
    files: int = 4096
    open_files: int = 256
    processor_seconds: int = 900
    gpu_memory: int = 8192 * MIB
