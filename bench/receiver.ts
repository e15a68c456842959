/**
 * A webhook to be told of messages, in a process of its own (see notifications.ts). It answers at once, after 100 ms
 * where the path begins with `/slow`, and never where it begins with `/silent`.
 */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { ReceiverOrder, ReceiverReport } from './notifications.ts'

const SLOW_MS = 100

let awaited = Number.POSITIVE_INFINITY
/** When each came that was awaited, in milliseconds since 1970. */
let arrivals: number[] = []

const server = createServer((request, response) => {
  request.resume()
  request.on('end', () => {
    const path = request.url ?? ''
    if (path.startsWith('/silent')) return
    if (path.startsWith('/slow')) setTimeout(() => response.end(), SLOW_MS)
    else response.end()
    arrivals.push(performance.timeOrigin + performance.now())
    if (arrivals.length === awaited) tell({ arrivals })
  })
})

process.on('message', ({ await: count }: ReceiverOrder) => {
  awaited = count
  arrivals = []
  tell({ arrivals })
})
process.on('disconnect', () => process.exit())

server.listen(0, '127.0.0.1', () => process.send?.((server.address() as AddressInfo).port))

function tell(report: ReceiverReport): void {
  process.send?.(report)
}
