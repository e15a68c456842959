import { type Harness, runConformance } from 'zaqar-conformance'
import { encryptedStorage } from '../../src/storage/encrypted/encrypted-storage.ts'
import { MessageCipher } from '../../src/storage/encrypted/message-cipher.ts'
import { abilities, openSqlite } from '../../src/storage/sqlite/open-sqlite.ts'
import { tries } from '../support/tries.ts'

/** Every message of every queue is encrypted. */
const harness: Harness = {
  abilities: { ...abilities, survivesReopen: false },
  async open(clock) {
    const sqlite = await openSqlite({ path: ':memory:', clock })
    return { storage: encryptedStorage(sqlite, new MessageCipher('a key', []), () => true), async drop() {} }
  },
}

// SQLite alone is tried for longer.
runConformance('encrypted sqlite', harness, { sequences: tries(100, 300) })
