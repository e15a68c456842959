import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ownMetadata } from '../../../src/cli/import/metadata.ts'

test('what is but the default of the source is left to the destination', () => {
  const defaults = { _default_message_ttl: 3600, _dead_letter_queue: null }
  const shown = { owner: null, _default_message_ttl: 3600, _dead_letter_queue: 'dead', _flavor: 'gold' }
  assert.deepEqual(ownMetadata(shown, defaults), { owner: null, _dead_letter_queue: 'dead', _flavor: 'gold' })
})
