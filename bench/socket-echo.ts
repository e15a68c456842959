/** The yardstick for sockets: a bare `ws` server that sends back each frame as it came. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { WebSocketServer } from 'ws'

const http = createServer()
const sockets = new WebSocketServer({ server: http })
sockets.on('connection', (socket) => {
  socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }))
})
process.on('disconnect', () => process.exit())
http.listen(0, '127.0.0.1', () => process.send?.((http.address() as AddressInfo).port))
