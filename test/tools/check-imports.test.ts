import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { forbiddenImports } from '../../tools/check-imports.ts'

const verdict = (path: string, text: string) => forbiddenImports([{ path, text }])
const inServer = (path: string, text: string) => verdict(`packages/server/src/${path}`, text)

describe('the import rule', () => {
  test('names place, import and reason', () => {
    const text = "import { a } from './a.ts'\n\nimport {\n  openSqlite,\n} from '../storage/sqlite/engine.ts'\n"
    assert.deepEqual(inServer('http/listener.ts', text), [
      'packages/server/src/http/listener.ts:3 imports ../storage/sqlite/engine.ts: ' +
        'http/ may not know storage/sqlite/engine.ts',
    ])
  })

  for (const [path, statement] of [
    ['core/execute.ts', "import { x } from '../http/listener.ts'"],
    ['core/execute.ts', "import type { X } from '../wire/v2/queues.ts'"],
    ['core/execute.ts', "import { x } from '../storage/sqlite/engine.ts'"],
    ['core/execute.ts', "import { systemClock } from '../platform/clock.ts'"],
    ['model/model.ts', "import type { X } from '../errors.ts'"],
    ['wire/v2/queues.ts', "export { x } from '../../http/listener.ts'"],
    ['wire/v2/queues.ts', "export * from '../../storage/contract.ts'"],
    ['storage/sqlite/engine.ts', "import '../postgres/engine.ts'"],
    ['storage/sqlite/engine.ts', "const x = await import('../../core/execute.ts')"],
  ] as const) {
    test(`refuses ${statement} in ${path}`, () => {
      assert.equal(inServer(path, statement).length, 1)
    })
  }

  for (const [path, statement] of [
    ['core/execute.ts', "import { StorageUnavailable } from '../storage/contract.ts'"],
    ['core/execute.ts', "import type { Clock } from '../platform/clock.ts'"],
    ['storage/sqlite/engine.ts', "import type { Clock } from '../../platform/clock.ts'"],
    ['storage/sqlite/engine.ts', "import { DatabaseSync } from 'node:sqlite'"],
    ['wire/v2/queues.ts', "import type { Queue } from '../../model/model.ts'"],
    ['http/listener.ts', "import { execute } from '../core/execute.ts'"],
    ['service.ts', "import { openSqlite } from './storage/sqlite/engine.ts'"],
    ['http/listener.ts', "export const path = '../storage/sqlite'"],
  ] as const) {
    test(`allows ${statement} in ${path}`, () => {
      assert.deepEqual(inServer(path, statement), [])
    })
  }

  test('asks for a row when a part is new', () => {
    assert.match(inServer('billing/worker.ts', "import '../core/execute.ts'")[0] ?? '', /no row/)
  })

  test('lets packages reach each other by name only', () => {
    const kit = 'packages/conformance/src/harness.ts'
    assert.deepEqual(verdict(kit, "import type { Storage } from 'zaqar/storage'"), [])
    assert.match(
      verdict(kit, "import type { Storage } from '../../server/src/storage/contract.ts'")[0] ?? '',
      /imported by its name/,
    )
  })
})
