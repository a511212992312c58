// SPDX-License-Identifier: ISC
// node: "echo.js PATH".
const net = require('net');

net.createServer((client) => {
  client.on('error', () => client.destroy());
  client.pipe(client);
}).listen({ path: process.argv[2], backlog: 4096 });
