import { ping } from '../../core/operations/service/ping.ts'
import { type AnyDoor, door } from '../door.ts'
import { added, all, removed } from '../older.ts'

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
    decode: () => undefined,
    encode: (isAlive) => ({ status: isAlive ? 204 : 503 }),
  })
}
