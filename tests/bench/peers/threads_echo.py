# SPDX-License-Identifier: ISC
"""A thread for each connection: "threads_echo.py PATH"."""
import socketserver
import sys


class Echo(socketserver.BaseRequestHandler):
    def handle(self):
        while data := self.request.recv(262144):
            self.request.sendall(data)


class Server(socketserver.ThreadingUnixStreamServer):
    request_queue_size = 4096
    daemon_threads = True


Server(sys.argv[1], Echo).serve_forever()
