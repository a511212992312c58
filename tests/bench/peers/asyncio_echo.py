# SPDX-License-Identifier: ISC
"""asyncio's streams: "asyncio_echo.py PATH"."""
import asyncio
import sys


async def on_client(reader, writer):
    while data := await reader.read(262144):
        writer.write(data)
        await writer.drain()
    writer.close()


async def main():
    server = await asyncio.start_unix_server(on_client, sys.argv[1], backlog=4096)
    await server.serve_forever()


asyncio.run(main())
