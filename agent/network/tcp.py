"""Join a stream of frames to a TCP port of the workspace."""

import asyncio
import contextlib
import socket
import struct

from agent.network.frames import Ended, Frames
from coder_cli.sdk.agentapi import FRAME, Port


class NobodyListens(Exception):
    """Nothing in the workspace listens at that port; the message is a sentence."""


async def connect_local(port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Connect to ``port`` of localhost, by IPv4 or, as some servers only do, by IPv6.

    Raises:
        NobodyListens: neither answers.
    """
    if port < Port.MINIMUM:
        raise NobodyListens(f"Nothing listens on port {port} of the agent.")
    for host in ("127.0.0.1", "::1"):
        with contextlib.suppress(OSError):
            reader, writer = await asyncio.open_connection(host, port, limit=FRAME)
            opened: socket.socket = writer.get_extra_info("socket")
            opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return reader, writer
    raise NobodyListens(f"Nothing listens on port {port} in the workspace.")


async def join_tcp(
    frames: Frames, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    """Carry bytes both ways, with back-pressure, until both directions have ended.

    An empty frame is the end of its direction only; the other one may go on.
    """
    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(_outward(frames, reader))
            group.create_task(_inward(frames, writer))
    except* (Ended, OSError):
        # One side is gone for good: let the other side know by a reset, not by a clean end.
        _reset(writer)
    finally:
        writer.close()
        await frames.close()


def _reset(writer: asyncio.StreamWriter) -> None:
    opened: socket.socket = writer.get_extra_info("socket")
    with contextlib.suppress(OSError):
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


async def _outward(frames: Frames, reader: asyncio.StreamReader) -> None:
    while data := await reader.read(FRAME):
        await frames.send(data)
    await frames.send(b"")


async def _inward(frames: Frames, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await frames.recv():
            if isinstance(data, bytes):
                writer.write(data)
                await writer.drain()
    except Ended as end:
        if not end.clean:
            raise
        writer.close()  # Flushes first; the other direction then ends by itself.
    else:
        writer.write_eof()
