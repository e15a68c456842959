import assert from 'node:assert/strict'
import { test } from 'node:test'
import pg from 'pg'
import { StorageUnavailable } from '../../src/storage/contract.ts'
import { endsConnection, isRolledBack, maySucceedAgain, toFailure } from '../../src/storage/postgres/failures.ts'

function answered(code: string, severity = 'ERROR'): pg.DatabaseError {
  return Object.assign(new pg.DatabaseError('on purpose', 10, 'error'), { code, severity })
}

const broken = (code: string) => Object.assign(new Error(code), { code })

for (const [name, error] of [
  ['a connection that breaks while a statement is written', broken('EPIPE')],
  ['a connection that is reset', broken('ECONNRESET')],
  ['an answer that does not come in time', new Error('Query read timeout')],
  ['a pooler that has lost its server', answered('08P01', 'FATAL')],
  ['a session that is ended', answered('57P01', 'FATAL')],
] as const) {
  test(`${name} leaves the outcome unknown, so nothing is done again`, () => {
    assert.equal(isRolledBack(error), false)
    assert.equal(maySucceedAgain(error), false)
    assert.equal(endsConnection(error), true)
    assert.ok(toFailure(error) instanceof StorageUnavailable)
  })
}

for (const code of ['40001', '40P01']) {
  test(`${code} may be done again`, () => {
    assert.ok(isRolledBack(answered(code)) && maySucceedAgain(answered(code)) && !endsConnection(answered(code)))
  })
}

for (const code of ['53100', '53300', '55P03', '57014', '25006']) {
  test(`${code} is trouble of the server, and is not done again`, () => {
    assert.equal(maySucceedAgain(answered(code)), false)
    assert.ok(toFailure(answered(code)) instanceof StorageUnavailable)
  })
}

test('a mistake of ours is no trouble of the server', () => {
  const mistake = answered('42601')
  assert.equal(toFailure(mistake), mistake)
})
