import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { formatIsoTime, parseIsoTime } from '../../src/core/rules/iso-time.ts'

describe('a date and time', () => {
  const understood: Record<string, string> = {
    '2099-01-01': '2099-01-01T00:00:00',
    '2099-01-01T00:00:00': '2099-01-01T00:00:00',
    '2099-01-01 00:00:00.5': '2099-01-01T00:00:00',
    '2099-01-01T10:20:30.123456': '2099-01-01T10:20:30',
    '2099-01-01T10:20:30Z': '2099-01-01T10:20:30',
    '2099-12-31T23:59:59+01:00': '2099-12-31T22:59:59',
    '2100-05-31T19:00:17+02': '2100-05-31T17:00:17',
    '2099-01-01T00:00:00-0130': '2099-01-01T01:30:00',
    '2099-01-01T10:20': '2099-01-01T10:20:00',
    '20990101T000000Z': '2099-01-01T00:00:00',
    '20991231T235959+0100': '2099-12-31T22:59:59',
    '20990101T102030.5': '2099-01-01T10:20:30',
    '20990101': '2099-01-01T00:00:00',
  }
  for (const [text, normal] of Object.entries(understood)) {
    test(`${text} is ${normal}`, () => assert.equal(formatIsoTime(parseIsoTime(text) as number), normal))
  }

  for (const text of [
    '',
    'tomorrow',
    '2099',
    '2099-02-30',
    '20990230T000000Z',
    '209901',
    '2099-1-1',
    '2099-13-01',
    '2099-01-01T24:00:00',
    '2099-01-01T00:60:00',
    '2099-01-01T00:00:00+25:00',
    '9999-12-31T23:59:59-01:00',
    ' 2099-01-01',
    '2099-01-01T00:00:00\\np\\n2099',
  ]) {
    test(`is not ${JSON.stringify(text)}`, () => assert.equal(parseIsoTime(text), null))
  }

  test('comes back as it was written', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 253_402_300_799 }), (seconds) => {
        assert.equal(parseIsoTime(formatIsoTime(seconds * 1000)), seconds * 1000)
      }),
    )
  })
})
