import { ping } from '../../core/operations/service/ping.ts'
import { type AnyDoor, door } from '../door.ts'
import { added, all, removed } from '../older.ts'
import type { DescribeDoor } from '../openapi/types.ts'

const healthDoc: DescribeDoor = ({ prefix }) => ({
  tag: 'service',
  summary: 'Ask whether the service works, its storage included',
  answers: {
    204: { description: 'It does.' },
    503: { description: 'Its storage does not answer. Without a body.' },
  },
  examples: [{ name: 'health', request: { path: `${prefix}/health` }, answer: { status: 204 } }],
})

/** There was no ping; health said no more than that, to everybody. (contract http.md 2.3, 2.4) */
export const healthWasAPing = all(
  removed(({ path }) => path === '/ping'),
  removed(({ path }) => path === '/health'),
  added(healthDoor('GET'), healthDoor('HEAD')),
)

function healthDoor(method: 'GET' | 'HEAD'): AnyDoor {
  return door({
    method,
    path: '/health',
    operation: ping,
    describe: healthDoc,
    decode: () => undefined,
    encode: (isAlive) => ({ status: isAlive ? 204 : 503 }),
  })
}
