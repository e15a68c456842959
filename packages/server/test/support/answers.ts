import assert from 'node:assert/strict'
import type { TestAnswer } from './test-client.ts'

/** The document of an answer. */
// biome-ignore lint/suspicious/noExplicitAny: tests look into documents of many shapes and fail where one is not as they say.
export function json(answer: TestAnswer): any {
  return JSON.parse(answer.text)
}

/**
 * An error as the contract has it: a title, a description that speaks of `mentions`, and nothing more. (http.md 1.9)
 */
export function assertError(answer: TestAnswer, status: number, title: string, ...mentions: readonly string[]): void {
  assert.equal(answer.status, status, answer.text)
  const document = json(answer)
  assert.equal(document.title, title)
  assert.deepEqual(Object.keys(document), ['title', 'description'])
  for (const text of mentions)
    assert.ok(document.description.includes(text), `${document.description} speaks of ${text}`)
  assert.equal(answer.headers['content-type'], 'application/json')
  assert.equal(answer.headers['vary'], 'Accept')
}

/** 204: no content, and nothing that describes any. */
export function assertNoContent(answer: TestAnswer): void {
  assert.equal(answer.status, 204, answer.text)
  assert.equal(answer.text, '')
  assert.equal(answer.headers['content-type'], undefined)
}
